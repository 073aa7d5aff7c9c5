// What WEBHOOKS.md tells receivers to do, done.

import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

const document = await readFile(new URL('../../crates/signaling/WEBHOOKS.md', import.meta.url), 'utf8');
const [, source] = document.match(/```js\n([\s\S]*?)\n```/);
const { verify } = await import(`data:text/javascript,${encodeURIComponent(source)}`);

const keys = { app: 'a secret' };
const body = Buffer.from('{"event":"roomStarted"}');
const text = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function sign(claims, secret = keys.app) {
  const signed = `${text({ alg: 'HS256', typ: 'JWT' })}.${text({ iss: 'app', exp: Date.now() / 1000 + 300, sha256: createHash('sha256').update(body).digest('base64'), ...claims })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

test('receivers can verify webhooks as WEBHOOKS.md tells', () => {
  assert.deepEqual(verify(sign({}), body, keys), { event: 'roomStarted' });
  assert.throws(() => verify(sign({}, 'another'), body, keys), /not signed/);
  assert.throws(() => verify(sign({ iss: 'nobody' }, ''), body, keys), /not signed/);
  assert.throws(() => verify(sign({ exp: 1 }), body, keys), /too old/);
  assert.throws(() => verify(sign({}), Buffer.from('{}'), keys), /another body/);
});

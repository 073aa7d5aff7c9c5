// The protocol page is enough to write a client: without the SDK, one connects, opens a data
// channel, and gets the cipher that the server prefers.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { launch } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';

const RAW_CLIENT = readFileSync(new URL('lib/raw-client.js', import.meta.url), 'utf8').trim();

describe('a client without the SDK', { timeout: 60_000 }, () => {
  let browser;
  let server;

  before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('opens a data channel beside a slot, over AEAD_AES_128_GCM', async () => {
    const page = await browser.newPage();
    await page.goto(`${server.url}/healthz`);
    const token = server.token('raw', 'ada');
    const { dtlsCipher, srtpCipher, ...outcome } = await page.evaluate(`(${RAW_CLIENT})(${JSON.stringify({ url: server.url, token })})`);
    assert.deepEqual(outcome, {
      protocol: 'plenum.v1', identity: 'ada', answerId: 1, connection: 'connected', slot: 'recvonly', channel: 'open',
      dtlsState: 'connected', closing: 'left',
    });
    assert.match(srtpCipher, /^(SRTP_)?AEAD_AES_128_GCM$/); // the prefix depends on the version of Chromium
    assert.match(dtlsCipher, /^TLS_/);
    await page.close();
  });
});

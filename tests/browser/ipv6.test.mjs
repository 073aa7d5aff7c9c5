// Media over IPv6.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person, launch } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/until.mjs';

const RED = [200, 40, 40];
const BLUE = [40, 70, 210];
const ROOM = 'ipv6';

/** Runs in the page: the address that media goes to. */
async function remoteAddress() {
  const reports = await window.plenum.room._connection.pc.getStats();
  const transport = [...reports.values()].find((report) => report.type === 'transport');
  const pair = reports.get(transport?.selectedCandidatePairId);
  return reports.get(pair?.remoteCandidateId)?.address ?? null;
}

describe('IPv6', { timeout: 120_000 }, () => {
  let browser;
  let server;

  before(async () => {
    [server, browser] = await Promise.all([Server.start({ PLENUM_MEDIA__BIND: '::1' }), launch()]);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('two people meet over ::1', async () => {
    const ada = await Person.open(browser, server, 'Ada', { room: ROOM, media: { colour: RED, tone: 440 } });
    const bob = await Person.open(browser, server, 'Bob', { room: ROOM, media: { colour: BLUE, tone: 880 } });
    await Promise.all([ada.join(), bob.join()]);
    await Promise.all([ada.sees('Bob', BLUE), bob.sees('Ada', RED), ada.hears('Bob', 880), bob.hears('Ada', 440)]);
    for (const person of [ada, bob]) {
      const address = await until('a path is selected', () => person.page.evaluate(remoteAddress));
      assert.equal(address.replace(/^\[|\]$/g, ''), '::1');
      assert.deepEqual(person.errors, []);
      await person.close();
    }
  });
});

// An ICE restart in a running call: new credentials, the same stay, pictures that go on moving.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person, launch } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/until.mjs';

const RED = [200, 40, 40];
const BLUE = [40, 70, 210];
const ROOM = 'restart';

/** Runs in the page: who it is there, and the ICE user fragments of the descriptions and of the path in use. */
async function iceState() {
  const { room } = window.plenum;
  const { pc } = room._connection;
  window.firstPeerConnection ??= pc;
  const ufrag = ({ sdp }) => /^a=ice-ufrag:(\S+)/m.exec(sdp)[1];
  const reports = await pc.getStats();
  const transport = [...reports.values()].find((report) => report.type === 'transport');
  const pair = reports.get(transport.selectedCandidatePairId);
  return {
    participant: room.local.id, state: room.state, samePeerConnection: pc === window.firstPeerConnection,
    local: ufrag(pc.currentLocalDescription), remote: ufrag(pc.currentRemoteDescription),
    inUse: reports.get(pair?.localCandidateId)?.usernameFragment, pairState: pair?.state,
  };
}

describe('ICE restart', { timeout: 120_000 }, () => {
  let browser;
  let server;
  let ada;
  let bob;

  before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
    ada = await Person.open(browser, server, 'Ada', { room: ROOM, media: { colour: RED, tone: 440 } });
    bob = await Person.open(browser, server, 'Bob', { room: ROOM, media: { colour: BLUE, tone: 880 } });
    await Promise.all([ada.join(), bob.join()]);
    await Promise.all([ada.sees('Bob', BLUE), bob.sees('Ada', RED)]);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  for (const name of ['Ada', 'Bob']) {
    test(`${name} restarts: pictures go on moving both ways over new credentials`, async () => {
      const { page } = name === 'Ada' ? ada : bob;
      const earlier = await page.evaluate(iceState);
      assert.equal(earlier.inUse, earlier.local);
      const decoded = async () => [(await bob.picture('Ada')).framesDecoded, (await ada.picture('Bob')).framesDecoded];
      const before = await decoded();
      await page.evaluate(() => window.plenum.room._connection.restartIce());

      const later = await until('the new credentials are in use', async () => {
        const now = await page.evaluate(iceState);
        const fresh = now.local !== earlier.local && now.remote !== earlier.remote;
        if (fresh && now.inUse === now.local && now.pairState === 'succeeded') return now;
        throw new Error(JSON.stringify({ earlier, now }));
      });
      await Promise.all([ada.sees('Bob', BLUE), bob.sees('Ada', RED), ada.hears('Bob', 880), bob.hears('Ada', 440)]);
      const now = await decoded();
      assert.ok(now.every((frames, i) => frames > before[i]), `the decoders went on: ${before} to ${now}`);
      assert.equal(later.participant, earlier.participant);
      assert.ok(later.samePeerConnection);
    });
  }

  test('nobody left or came meanwhile', async () => {
    const [adaState, bobState] = await Promise.all([ada, bob].map((person) => person.page.evaluate(iceState)));
    assert.deepEqual([adaState.state, bobState.state], ['connected', 'connected']);
    assert.equal(await bob.page.evaluate(() => [...window.plenum.room.participants.keys()].join()), adaState.participant);
    for (const person of [ada, bob]) assert.deepEqual(person.errors, []);
  });
});

// A media thread of the server fails in a running call: the shard begins anew, the pages join again
// by themselves, and pictures move within seconds. A debug build fails on demand, see
// crates/engine/src/fault.rs.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person, launch } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/until.mjs';

const RED = [200, 40, 40];
const BLUE = [40, 70, 210];
const ROOM = 'shard';

/** Runs in a page: joins without the SDK, with the ICE user name that makes a debug build's shard fail. */
async function fail({ url, token }) {
  const pc = new RTCPeerConnection();
  pc.addTransceiver('video', { direction: 'recvonly' });
  const offer = await pc.createOffer();
  const sdp = offer.sdp.replace(/a=ice-ufrag:\S+/g, 'a=ice-ufrag:faultOfShard');
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/v1/ws`, ['plenum.v1', `token.${token}`]);
  await new Promise((resolve) => { socket.onopen = resolve; });
  const closed = new Promise((resolve) => { socket.onclose = resolve; });
  socket.send(JSON.stringify({ type: 'join', sdk: 'raw' }));
  socket.send(JSON.stringify({ type: 'offer', id: 1, sdp }));
  await closed;
  pc.close();
}

/** Runs in a page: notes the states of the connection from now on. */
function note() {
  const { room } = window.plenum;
  window.noted = [];
  window.was = room.local.id;
  room.on('connectionState', ({ state }) => window.noted.push(state));
}

describe('a shard that fails', { timeout: 120_000 }, () => {
  let browser;
  let server;
  let ada;
  let bob;

  before(async () => {
    [server, browser] = await Promise.all([Server.start({ PLENUM_MEDIA__SHARDS: '1' }), launch()]);
    ada = await Person.open(browser, server, 'Ada', { room: ROOM, media: { colour: RED, tone: 440 } });
    bob = await Person.open(browser, server, 'Bob', { room: ROOM, media: { colour: BLUE, tone: 880 } });
    await Promise.all([ada.join(), bob.join()]);
    await Promise.all([ada.sees('Bob', BLUE), bob.sees('Ada', RED)]);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('takes its clients along for seconds only', async (t) => {
    for (const person of [ada, bob]) await person.page.evaluate(note);
    const began = performance.now();
    await ada.page.evaluate(fail, { url: server.url, token: server.token(ROOM, 'eve') });
    for (const person of [ada, bob]) {
      await until(`${person.name} is back`, () => person.page.evaluate(() => {
        const { room } = window.plenum;
        return room.state === 'connected' && room.local.id !== window.was;
      }));
    }
    await Promise.all([ada.sees('Bob', BLUE), bob.sees('Ada', RED), ada.hears('Bob', 880), bob.hears('Ada', 440)]);
    t.diagnostic(`seen and heard again ${Math.round(performance.now() - began)} ms after the fault`);
    for (const person of [ada, bob]) {
      const states = await person.page.evaluate(() => window.noted);
      assert.deepEqual([states[0], states.at(-1)], ['reconnecting', 'connected']);
      assert.ok(!states.includes('closed'), states.join());
      assert.deepEqual(person.errors, []);
    }
  });

  test('is told to operators, and the server stays alive', async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    const value = (name) => Number(metrics.split('\n').find((line) => line.startsWith(`${name} `))?.split(' ').at(-1));
    assert.equal(value('plenum_shard_restarts_total{shard="0"}'), 1);
    assert.equal(value('plenum_panics_total{plane="media"}'), 1);
    assert.equal(value('plenum_shard_up{shard="0"}'), 1);
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
    assert.match(server.output, /panic, an error in Plenum/);
    assert.doesNotMatch(server.output, /as a test asked for/, 'what a panic says stays out of the log');
  });
});

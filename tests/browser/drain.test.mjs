// A rolling restart: one server is emptied while another takes its calls, behind one address.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person, launch } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';
import { TcpRelay } from './lib/tcp-relay.mjs';
import { until } from './lib/until.mjs';

const RED = [200, 40, 40];
const BLUE = [40, 70, 210];
const ROOM = 'rolling';
/** Clients are on the new server within this, from the signal on. */
const MOVE_MAX_MS = 2000;

describe('a rolling restart', { timeout: 120_000 }, () => {
  let browser;
  let servers;
  let relay;
  let ada;
  let bob;

  before(async () => {
    const environment = { PLENUM_TIME__DRAIN: '20s' };
    [servers, browser] = await Promise.all([Promise.all([Server.start(environment), Server.start(environment)]), launch()]);
    relay = await TcpRelay.start(servers[0].httpPort);
    const open = (name, colour) => Person.open(browser, relay, name, { room: ROOM, media: { colour, tone: 440 } });
    [ada, bob] = await Promise.all([open('Ada', RED), open('Bob', BLUE)]);
    await Promise.all([ada.join(), bob.join()]);
    await Promise.all([ada.sees('Bob', BLUE), bob.sees('Ada', RED)]);
  });

  after(async () => {
    await browser?.close();
    relay?.stop();
    await Promise.all((servers ?? []).map((server) => server.stop('SIGINT')));
  });

  const participants = async (server) => {
    const answer = await fetch(`${server.url}/v1/drain`, { headers: { Authorization: `Bearer ${server.adminToken()}` } });
    return (await answer.json()).participants;
  };

  test('SIGTERM: the call goes on at the other server, and the first one ends when it is empty', async () => {
    const [first, second] = servers;
    const watch = () => { window.states = []; window.plenum.room.on('connectionState', ({ state }) => window.states.push(state)); };
    await Promise.all([ada.page.evaluate(watch), bob.page.evaluate(watch)]);
    relay.target = second.httpPort;
    const from = performance.now();
    const ended = first.stop('SIGTERM');
    await until('both are on the other server', async () => (await participants(second)) === 2, { every: 50, timeout: 10_000 });
    const moved = performance.now() - from;
    await Promise.all([ada.sees('Bob', BLUE), bob.sees('Ada', RED)]);
    console.log(`moved within ${Math.round(moved)} ms, seen again after ${Math.round(performance.now() - from)} ms`);
    assert.ok(moved < MOVE_MAX_MS, `${moved} ms`);
    await ended;
    assert.equal(first.exitCode, 0);
    for (const person of [ada, bob]) {
      const states = await person.page.evaluate(() => window.states);
      assert.ok(!states.includes('closed') && states.at(-1) === 'connected', `${states}`);
      assert.deepEqual(person.errors, []);
    }
  });
});

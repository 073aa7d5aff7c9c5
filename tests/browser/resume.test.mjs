// The WebSocket breaks: the call goes on, nobody notices, and nothing is missed.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person, launch } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';
import { TcpRelay } from './lib/tcp-relay.mjs';
import { sleep, until } from './lib/until.mjs';

const RED = [200, 40, 40];
const BLUE = [40, 70, 210];
const ROOM = 'resume';
const GRACE_MS = 6000;

/** Runs in the page: notes what the room tells from now on. */
function note() {
  const { room } = window.plenum;
  if (window.noted) { window.noted.length = 0; return room.local.id; }
  window.noted = [];
  window.pc = room._connection.pc;
  room.on('connectionState', ({ state }) => window.noted.push(state));
  for (const event of ['participantJoined', 'participantLeft']) {
    room.on(event, ({ participant }) => window.noted.push(`${event} ${participant.name}`));
  }
  room.on('muted', ({ participant, publication, muted }) => window.noted.push(`${publication.source} of ${participant.name} ${muted ? 'muted' : 'unmuted'}`));
  return room.local.id;
}

/** Runs in the page: what was noted, and who it is there. */
function noted() {
  const { room } = window.plenum;
  return { noted: window.noted, id: room.local.id, state: room.state, samePeerConnection: room._connection.pc === window.pc };
}

describe('a WebSocket that breaks', { timeout: 180_000 }, () => {
  let browser;
  let server;
  let relay;
  let ada;
  let bob;
  let adaId;

  const open = (name, colour, through = server) => Person.open(browser, through, name, { room: ROOM, media: { colour, tone: 440 } });

  async function visit(name) {
    const guest = await open(name, [40, 160, 60]);
    await guest.join();
    return guest;
  }

  before(async () => {
    [server, browser] = await Promise.all([Server.start({ PLENUM_TIME__GRACE: `${GRACE_MS}ms` }), launch()]);
    relay = await TcpRelay.start(server.httpPort);
    [ada, bob] = await Promise.all([open('Ada', RED, relay), open('Bob', BLUE)]);
    await Promise.all([ada.join(), bob.join()]);
    await Promise.all([ada.sees('Bob', BLUE), bob.sees('Ada', RED)]);
  });

  after(async () => {
    await browser?.close();
    relay?.stop();
    await server?.stop();
  });

  async function noteBoth() {
    adaId = await ada.page.evaluate(note);
    await bob.page.evaluate(note);
  }

  const decoded = async () => [(await bob.picture('Ada')).framesDecoded, (await ada.picture('Bob')).framesDecoded];

  const resumed = () => until('Ada is back', async () => {
    const now = await ada.page.evaluate(noted);
    if (now.state === 'connected' && now.noted.includes('reconnecting')) return now;
    throw new Error(JSON.stringify(now));
  });

  test('cut: pictures go on, what happened meanwhile is told, and what was said too', async () => {
    await noteBoth();
    relay.refusing = true;
    relay.cut();
    await until('Ada notices', async () => (await ada.page.evaluate(noted)).state === 'reconnecting');
    const before = await decoded();
    const eve = await visit('Eve');
    await eve.page.evaluate(() => window.plenum.room.leave());
    await ada.page.evaluate(() => window.plenum.room.publication('microphone').mute());
    const during = await decoded();
    assert.ok(during.every((frames, i) => frames > before[i] + 3), `${before} then ${during}`);
    relay.refusing = false;
    const now = await resumed();
    assert.deepEqual([now.id, now.samePeerConnection], [adaId, true]);
    const told = now.noted.filter((event) => event.includes('Eve'));
    assert.deepEqual(told, ['participantJoined Eve', 'participantLeft Eve']);
    const heard = await until('Bob hears of the mute', async () => {
      const { noted: events } = await bob.page.evaluate(noted);
      return events.some((event) => event === 'microphone of Ada muted') && events;
    });
    assert.ok(!heard.some((event) => event.includes('participant') && event.includes('Ada')), `${heard}`);
    await ada.sees('Bob', BLUE);
    await eve.context.close();
  });

  test('silent: a socket that says nothing any more is noticed and replaced', async () => {
    await noteBoth();
    relay.silence();
    const now = await until('Ada is back', async () => {
      const state = await ada.page.evaluate(noted);
      return state.state === 'connected' && state.noted.includes('reconnecting') && state;
    }, { timeout: 25_000 });
    assert.deepEqual([now.id, now.samePeerConnection], [adaId, true]);
    await bob.sees('Ada', RED);
  });

  test('a new network, told by the browser: noticed within seconds', async () => {
    await noteBoth();
    relay.silence();
    await ada.page.evaluate(() => dispatchEvent(new Event('online')));
    const from = performance.now();
    const now = await resumed();
    assert.equal(now.id, adaId);
    console.log(`back after ${Math.round(performance.now() - from)} ms`);
  });

  test('longer than the grace period: Ada joins anew, and the others are told', async () => {
    await noteBoth();
    relay.refusing = true;
    relay.cut();
    await sleep(GRACE_MS + 1000);
    relay.refusing = false;
    const now = await resumed();
    assert.notEqual(now.id, adaId);
    const { noted: heard } = await bob.page.evaluate(noted);
    assert.deepEqual(heard.filter((event) => event.startsWith('participant')), ['participantLeft Ada', 'participantJoined Ada']);
    await bob.sees('Ada', RED);
    await ada.sees('Bob', BLUE);
    assert.deepEqual(ada.errors, []);
  });
});

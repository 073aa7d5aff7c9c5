// What a backend does over REST, seen by the pages it is done to.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person, launch } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';
import { sleep, until } from './lib/until.mjs';

const ROOM = 'moderated';
/** Enough to see that encoders obey it: less than the smallest of what they make without it. */
const LIMIT = 150_000;

/** Runs in the page: keeps the peer connections for their statistics. */
function keepPeerConnections() {
  const Native = RTCPeerConnection;
  window.peerConnections = [];
  window.RTCPeerConnection = class extends Native {
    constructor(...options) {
      super(...options);
      window.peerConnections.push(this);
    }
  };
}

/** Runs in the page: bytes of video sent so far, headers and repair left out. */
async function videoSent() {
  const reports = await Promise.all(window.peerConnections.map((pc) => pc.getStats()));
  const outbound = reports.flatMap((report) => [...report.values()]).filter(({ type, kind }) => type === 'outbound-rtp' && kind === 'video');
  return outbound.reduce((sum, { bytesSent }) => sum + bytesSent, 0);
}

describe('moderation over REST', { timeout: 180_000 }, () => {
  let browser;
  let server;
  let ada;
  let bob;
  let identity;

  async function ask(method, path, body) {
    const answer = await fetch(`${server.url}/v1/rooms/${ROOM}${path}`, {
      method, headers: { Authorization: `Bearer ${server.adminToken()}`, ...(body ? { 'Content-Type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
    return answer.status === 204 ? null : answer.json();
  }

  before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
    const media = { width: 960, height: 540, noise: 40, colour: [200, 40, 40], tone: 440 };
    ada = await Person.open(browser, server, 'Ada', { room: ROOM, media, viewport: { width: 1600, height: 1000 }, initScripts: [[keepPeerConnections, null]] });
    bob = await Person.open(browser, server, 'Bob', { room: ROOM, viewport: { width: 1600, height: 1000 }, flags: { camera: '0', mic: '0' } });
    await Promise.all([ada.join(), bob.join()]);
    await bob.sees('Ada', [200, 40, 40]);
    identity = await ada.page.evaluate(() => window.plenum.room.local.identity);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  async function bitrate(seconds) {
    const before = await ada.page.evaluate(videoSent);
    await sleep(seconds * 1000);
    return ((await ada.page.evaluate(videoSent)) - before) * 8 / seconds;
  }

  test('a limit on what may be published is kept by the encoders', async () => {
    const free = await until('Ada sends a lot', async () => {
      const now = await bitrate(1);
      return now > 4 * LIMIT && now;
    });
    await ask('PATCH', `/participants/${identity}`, { maxPublishBitrate: LIMIT });
    await until('Ada sends little', async () => (await bitrate(1)) < LIMIT * 1.2);
    const held = await bitrate(5);
    console.log(`video of ${Math.round(free / 1000)} kbit/s, then ${Math.round(held / 1000)} of ${LIMIT / 1000} kbit/s`);
    assert.ok(held < LIMIT * 1.1, `${held}`);
    await ask('PATCH', `/participants/${identity}`, { maxPublishBitrate: 0 });
    await until('Ada sends a lot again', async () => (await bitrate(1)) > 4 * LIMIT, { timeout: 40_000 });
  });

  test('another name is shown to everybody', async () => {
    await ask('PATCH', `/participants/${identity}`, { name: 'Ada (host)' });
    await bob.tile('Ada (host)', 'camera');
    await ada.page.waitForFunction(() => window.plenum.room.local.name === 'Ada (host)');
  });

  test('a microphone that is muted from outside shows so on both pages', async () => {
    const { publications } = await ask('GET', `/participants/${identity}`);
    const { id } = publications.find(({ source }) => source === 'microphone');
    await ask('POST', `/participants/${identity}/mute`, { publication: id, muted: true });
    await ada.page.waitForFunction(() => window.plenum.room.publication('microphone').muted);
    await until('Bob sees the mark', () => bob.page.evaluate(() => {
      const [participant] = window.plenum.room.participants.values();
      return participant.publication('microphone').muted;
    }));
  });

  test('who may not publish a camera any more stops, and may again', async () => {
    await ask('PATCH', `/participants/${identity}`, { canPublishSources: ['microphone'] });
    await ada.page.waitForFunction(() => !window.plenum.room.publication('camera'));
    assert.deepEqual(await ada.page.evaluate(() => window.plenum.room.grants.canPublishSources), ['microphone']);
    await ask('PATCH', `/participants/${identity}`, { canPublishSources: [] });
  });

  test('a message of the backend arrives', async () => {
    await bob.page.evaluate(() => { window.plenum.room.on('data', (message) => { window.heard = message; }); });
    const all = await fetch(`${server.url}/v1/rooms/${ROOM}/data`, {
      method: 'POST', headers: { Authorization: `Bearer ${server.adminToken()}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ text: 'the break is over', topic: 'notice' }),
    });
    assert.equal(all.status, 202);
    const heard = await until('Bob hears it', () => bob.page.evaluate(() => window.heard && { ...window.heard, participant: null }));
    assert.deepEqual([heard.payload, heard.topic], ['the break is over', 'notice']);
  });

  test('why Bob sees what he sees can be asked', async () => {
    const id = await bob.page.evaluate(() => window.plenum.room.local.identity);
    const { network, slots } = await ask('GET', `/participants/${id}/quality`);
    assert.ok(network.estimate > 0 && slots.length > 0 && slots.every(({ reason }) => reason), JSON.stringify({ network, slots }));
  });

  test('who is removed is told so', async () => {
    await ask('DELETE', `/participants/${identity}`);
    await ada.page.waitForSelector('#dialog[open][data-code="removed"]', { timeout: 20_000 });
    await bob.tile('Ada (host)', 'camera', 'detached');
    assert.deepEqual(ada.errors, []);
  });
});

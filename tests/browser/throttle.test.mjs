// One page's network gets narrow: only what that page sees changes, and it comes back.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person, launch } from './lib/browser.mjs';
import { Relay, throughRelay } from './lib/relay.mjs';
import { Server } from './lib/server.mjs';
import { sleep, until } from './lib/until.mjs';

const CAMERA = { width: 960, height: 540, frameRate: 15, noise: 40 };
const TOP = 2;
/** No picture may stand for longer while the way gets narrow. */
const FREEZE_MAX_MS = 1000;
/** The top layers are back within this after the way is wide again. */
const RECOVERY_MAX_MS = 10_000;

describe('a narrow network', { timeout: 300_000 }, () => {
  let browser;
  let server;
  let relay;
  let ada;
  let bob;
  let viewer;

  before(async () => {
    [server, browser] = await Promise.all([Server.start({ PLENUM_MEDIA__SHARDS: '1' }), launch()]);
    relay = await Relay.start(server.udpPort);
    const room = 'narrow';
    ada = await Person.open(browser, server, 'Ada', { room, media: { ...CAMERA, colour: [200, 40, 40], tone: 440 } });
    bob = await Person.open(browser, server, 'Bob', { room, media: { ...CAMERA, colour: [40, 40, 200], tone: 660 } });
    const viewport = { width: 1900, height: 1000 };
    viewer = await Person.open(browser, server, 'Viewer', {
      room, viewport, flags: { camera: '0', mic: '0' },
      initScripts: [[throughRelay, { from: server.udpPort, to: relay.port }]],
    });
    await Promise.all([ada.join(), bob.join(), viewer.join()]);
  });

  after(async () => {
    await browser?.close();
    relay?.stop();
    await server?.stop();
  });

  const layers = async (person, names) => {
    const pictures = await Promise.all(names.map((name) => person.picture(name)));
    return pictures.map((picture) => picture && { layer: picture.layer?.spatial ?? null, reason: picture.reason });
  };
  const seen = (what, right, timeout = 20_000) => until(what, async () => {
    const now = await layers(viewer, ['Ada', 'Bob']);
    if (now.every(Boolean) && right(now)) return now;
    throw new Error(JSON.stringify(now));
  }, { timeout, every: 200 });
  const allTop = (now) => now.every(({ layer }) => layer === TOP);
  const sum = (now) => now.reduce((total, { layer }) => total + (layer ?? -1), 0);

  async function tellFreezes() {
    const freezes = await viewer.page.evaluate(() => window.probe.freezes());
    console.log('longest freezes on the way down, ms:', JSON.stringify(freezes), 'dropped by the relay:', relay.dropped);
    return freezes;
  }

  const note = (name) => viewer.page.locator(`.tile[aria-label="${name}"] .note`).textContent();

  const othersSee = async () => [...await layers(ada, ['Bob']), ...await layers(bob, ['Ada'])];
  let wide;
  async function othersNoticeNothing() {
    assert.deepEqual(await othersSee(), wide);
  }

  test('the top layers come on a wide one', async () => {
    await seen('both top layers', allTop, 40_000);
    wide = await until('the others see what their tiles are large enough for', async () => {
      const now = await othersSee();
      if (now.every((picture) => picture?.layer !== null && picture?.reason === 'viewport')) return now;
      throw new Error(JSON.stringify(now));
    });
    await viewer.page.evaluate(() => window.probe.watchFreezes());
    await sleep(3000);
  });

  test('1.5 Mbit/s: layers go down, for the reason of bandwidth, and nobody else notices', async () => {
    relay.throttle(1_500_000);
    await seen('a lower layer', (pictures) => !allTop(pictures) && pictures.some(({ reason }) => reason === 'bandwidth'));
    await sleep(6000);
    await tellFreezes();
    await seen('both pictures, one of them better than the least', (pictures) => sum(pictures) >= 1);
    await othersNoticeNothing();
  });

  test('500 kbit/s: lower still', async () => {
    const before = sum(await layers(viewer, ['Ada', 'Bob']));
    relay.throttle(500_000);
    await seen('lower layers', (pictures) => sum(pictures) < before);
    await sleep(5000);
    await tellFreezes();
    await othersNoticeNothing();
  });

  test('150 kbit/s: sound alone, and the page says why', async () => {
    relay.throttle(150_000);
    await seen('the pictures are paused, for want of bandwidth', (pictures) => pictures.every(({ layer, reason }) => layer === null && reason === 'bandwidth'));
    assert.match(await note('Ada'), /network is too slow/);
    const { network, slots } = await viewer.page.evaluate(() => window.plenum.room.explain());
    assert.ok(network.estimate < 250_000 && network.wanted > 500_000, JSON.stringify(network));
    const decisions = slots.map((slot) => slot.decisions[0]).filter((decision) => decision?.wanted && !decision.given);
    assert.ok(decisions.length >= 2 && decisions.every(({ reason }) => reason === 'bandwidth'), JSON.stringify(slots));
    await viewer.screenshot('narrow-network');
    await sleep(3000);
    const sound = await viewer.sound('Ada');
    assert.ok(sound.level > 0.02 && Math.abs(sound.frequency - 440) < 30, JSON.stringify(sound));
    await othersNoticeNothing();
    const freezes = await tellFreezes();
    for (const [name, longest] of Object.entries(freezes)) assert.ok(longest <= FREEZE_MAX_MS, `${name}: ${longest} ms`);
  });

  test('wide again: the top layers are back within ten seconds', async () => {
    const from = performance.now();
    relay.throttle(Infinity);
    await seen('both top layers', allTop, RECOVERY_MAX_MS);
    console.log(`back after ${Math.round(performance.now() - from)} ms`);
    await viewer.sees('Ada', [200, 40, 40]);
    assert.equal(await note('Ada'), '');
    await othersNoticeNothing();
  });
});

// The demo app fits: on phones upright and on their side, small and large, in the light and in the dark.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Person, launch } from './lib/browser.mjs';
import { Crowd } from './lib/crowd.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/until.mjs';

const ROOM = 'a-room-with-a-rather-long-name';
const MEDIA = { colour: [70, 110, 140], tone: 330 };
const CHECKS = readFileSync(new URL('lib/layout.js', import.meta.url), 'utf8');
const SIZES = [[390, 844], [844, 390], [360, 640], [320, 568], [568, 320]];
const NAMES = ['Bob', 'Eberhard Wolfgang von Hohenstaufen-Lichtenstein', 'Cleo', 'Dora', 'Farid', 'Grace'];

describe('the layout', { timeout: 120_000 }, () => {
  let browser;
  let server;
  let crowd;
  let phone;
  let desk;

  before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
    const initScripts = [[CHECKS]];
    const touch = { isMobile: true, hasTouch: true, reducedMotion: 'reduce' };
    phone = await Person.open(browser, server, 'Zoe', { room: ROOM, media: MEDIA, initScripts, viewport: { width: 390, height: 844 }, context: touch });
    desk = await Person.open(browser, server, 'Ada', { room: ROOM, media: MEDIA, initScripts, viewport: { width: 1440, height: 900 }, context: { reducedMotion: 'reduce' } });
    crowd = await Crowd.open(browser, server, ROOM);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const check = (person, names) => until('a layout without faults', async () => {
    const faults = await person.page.evaluate((wanted) => Object.fromEntries(wanted.map((name) => [name, window.layout[name]()])), names);
    if (Object.values(faults).every((list) => list.length === 0)) return true;
    throw new Error(JSON.stringify(faults));
  }, { timeout: 3000 });

  /** Looks at the phone in all sizes, and at all in both colour schemes. */
  async function look(what) {
    for (const [width, height] of SIZES) {
      await phone.page.setViewportSize({ width, height });
      await check(phone, ['outside', 'small', 'overlapping']).catch((error) => { throw new Error(`${what}, ${width} x ${height}: ${error.message}`); });
    }
    for (const person of [phone, desk]) {
      for (const colorScheme of ['light', 'dark']) {
        await person.page.emulateMedia({ colorScheme });
        await check(person, ['outside', 'nameless', 'faint', 'overlapping']).catch((error) => { throw new Error(`${what}, ${person.name}, ${colorScheme}: ${error.message}`); });
      }
    }
  }
  const both = (action) => Promise.all([phone, desk].map(({ page }) => action(page)));

  test('lobby', async () => {
    await look('lobby');
    await phone.page.setViewportSize({ width: 844, height: 390 });
    assert.ok(await phone.page.evaluate(() => document.querySelector('#join').getBoundingClientRect().bottom <= innerHeight), 'Join is seen without scrolling');
  });

  test('alone, with others, with a shared screen, muted', async () => {
    await Promise.all([phone.join(), desk.join()]);
    for (const [index, name] of NAMES.entries()) await crowd.enter(name, { camera: index !== 2, microphone: index % 2 ? 'muted' : true });
    await look('grid');
    await phone.tile(NAMES[1], 'camera');
    await crowd.enter('Sara', { screen: true });
    await both((page) => page.waitForSelector('.tile.screen'));
    await both((page) => page.click('#tool-mic'));
    await look('shared screen');
  });

  test('chat', async () => {
    await both((page) => page.click('#tool-chat'));
    await crowd.say('Bob', `https://example.net/${'a'.repeat(200)}`);
    await both((page) => page.waitForSelector('.chat-log p'));
    await look('chat');
    await both((page) => page.click('#chat-close'));
  });

  test('notices, dialogs, and what phones keep under More', async () => {
    await both((page) => page.evaluate(() => {
      const { room } = window.plenum;
      room.audioBlocked = true;
      room._emit('audioBlocked', { blocked: true });
    }));
    await look('sound paused');
    await phone.page.click('#tool-more');
    await desk.page.click('#tool-devices');
    await look('dialogs');
    await phone.page.setViewportSize({ width: 390, height: 844 });
    await phone.page.click('.dialog-menu button:last-child');
    await phone.page.waitForSelector('dialog [data-device="camera"]');
    await look('devices');
    await both((page) => page.keyboard.press('Escape'));
    await phone.page.setViewportSize({ width: 390, height: 844 });
    await phone.page.click('#tool-more');
    await phone.page.click('.dialog-menu button:first-child');
    assert.equal(await phone.page.getAttribute('#tool-view', 'aria-label'), 'Grid view');
  });

  test('a finger on a small tile makes it large', async () => {
    const tile = phone.page.locator('.tile[aria-label="Dora"]');
    await tile.tap();
    await phone.page.waitForSelector('.tile.main[aria-label="Dora"]');
  });

  test('the link to the room is copied, without the name', async () => {
    await desk.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await desk.page.click('#copy-link');
    await desk.page.waitForSelector('.toast:has-text("Link copied")');
    assert.equal(await desk.page.evaluate(() => navigator.clipboard.readText()), `${server.url}/?room=${ROOM}`);
  });

  test('keys reach every button, and show where they are', async () => {
    await desk.page.evaluate(() => document.activeElement.blur());
    const reached = new Set();
    for (let i = 0; i < 30; i += 1) {
      await desk.page.keyboard.press('Tab');
      const { id, outline } = await desk.page.evaluate(() => ({ id: document.activeElement.id, outline: parseFloat(getComputedStyle(document.activeElement).outlineWidth) }));
      if (id) assert.ok(outline >= 2, `${id} has no focus ring`);
      reached.add(id);
    }
    for (const id of ['copy-link', 'tool-mic', 'tool-camera', 'tool-screen', 'tool-view', 'tool-chat', 'tool-stats', 'tool-devices', 'tool-leave']) assert.ok(reached.has(id), id);
  });

  test('nothing moves for those who asked for that', async () => {
    for (const [selector, property] of [['.tile', 'transitionDuration'], ['.tool', 'transitionDuration']]) {
      assert.equal(await desk.page.evaluate(([it, what]) => getComputedStyle(document.querySelector(it))[what], [selector, property]), '0s');
    }
    assert.deepEqual([...phone.errors, ...desk.errors], []);
  });
});

// Pictures of the demo app in every state and size, for looking at: `npm run screens`, then artifacts/.

import { Person, launch } from './lib/browser.mjs';
import { Crowd } from './lib/crowd.mjs';
import { Server } from './lib/server.mjs';
import { sleep } from './lib/until.mjs';

const ROOM = 'design-review';
const MEDIA = { colour: [70, 110, 140], screenColour: [240, 240, 240], tone: 330, width: 640, height: 360 };
const DESK = { viewport: { width: 1440, height: 900 }, context: { colorScheme: 'dark' } };
const PHONE = { viewport: { width: 390, height: 844 }, context: { deviceScaleFactor: 2, isMobile: true, hasTouch: true, colorScheme: 'light' } };
const NAMES = ['Bob', 'Cleo Fitzgerald', 'Dora', 'Eberhard Wolfgang von Hohenstaufen-Lichtenstein', 'Farid', 'Grace Hopper', 'Hiro', 'Ines', 'Jürgen', 'Kofi', 'Lena', 'Mustafa'];

const [server, browser] = await Promise.all([Server.start(), launch()]);
const crowd = await Crowd.open(browser, server, ROOM);
const open = (name, options) => Person.open(browser, server, name, { room: ROOM, media: MEDIA, ...options });
const desk = await open('Ada Lovelace', DESK);
const phone = await open('Zoe', PHONE);

/** One picture of the desk in the dark and one in the light, two of the phone. */
async function shoot(name, { settle = 900, light = false } = {}) {
  await sleep(settle);
  await desk.screenshot(`look-${name}-desk`);
  if (light) {
    await desk.page.emulateMedia({ colorScheme: 'light' });
    await desk.screenshot(`look-${name}-desk-light`);
    await desk.page.emulateMedia({ colorScheme: 'dark' });
  }
  await phone.screenshot(`look-${name}-phone`);
  await phone.page.setViewportSize({ width: 844, height: 390 });
  await sleep(500);
  await phone.screenshot(`look-${name}-landscape`);
  await phone.page.setViewportSize(PHONE.viewport);
}
const both = (action) => Promise.all([desk, phone].map(({ page }) => action(page)));

try {
  await shoot('lobby', { light: true });
  await desk.page.keyboard.press('Tab');
  await desk.screenshot('look-lobby-focus-desk');
  const denied = await open('Nina', { ...PHONE, media: { ...MEDIA, deny: 'NotAllowedError' } });
  await sleep(600);
  await denied.screenshot('look-lobby-denied-phone');
  await denied.close();
  await desk.join();
  await desk.screenshot('look-alone-desk');
  await phone.join();
  await shoot('two');
  for (const name of NAMES.slice(0, 2)) await crowd.enter(name);
  await shoot('four', { light: true });
  await both((page) => page.click('#tool-mic'));
  await both((page) => page.click('#tool-camera'));
  await crowd.leave('Bob');
  await crowd.enter('Bob', { camera: false, microphone: 'muted' });
  await shoot('muted');
  await both((page) => page.click('#tool-camera'));
  await both((page) => page.click('#tool-chat'));
  await crowd.say('Bob', 'Good morning everybody. I will share the figures of the last quarter in a minute; the link is https://example.net/a/very/long/address/without/any/space/in/it/that/has/to/break/somewhere');
  await crowd.say('Cleo Fitzgerald', 'Fine!');
  await desk.page.fill('#chat-text', 'Take your time');
  await desk.page.press('#chat-text', 'Enter');
  await shoot('chat', { light: true });
  await both((page) => page.click('#chat-close'));
  for (const name of NAMES.slice(2, 7)) await crowd.enter(name, { microphone: name === 'Farid' ? 'muted' : true, camera: name !== 'Hiro' });
  await shoot('nine', { settle: 2000 });
  for (const name of NAMES.slice(7)) await crowd.enter(name, { camera: name !== 'Kofi' });
  await shoot('fourteen', { settle: 2000 });
  await both((page) => page.keyboard.press('g'));
  await shoot('speaker');
  await both((page) => page.keyboard.press('g'));
  await crowd.leave('Dora');
  await crowd.enter('Dora', { screen: true });
  await shoot('screen', { settle: 2000, light: true });
  await both((page) => page.keyboard.press('i'));
  await shoot('statistics', { settle: 2500 });
  await both((page) => page.keyboard.press('i'));
  await both((page) => page.evaluate(() => {
    const [participant] = [...window.plenum.room.participants.values()].filter(({ name }) => name === 'Cleo Fitzgerald');
    window.plenum.room._emit('slotChanged', { publication: participant.publication('camera'), layer: null, reason: 'bandwidth' });
    window.plenum.room.audioBlocked = true;
    window.plenum.room._emit('audioBlocked', { blocked: true });
  }));
  await shoot('poor');
  await both((page) => page.evaluate(() => {
    window.plenum.room.audioBlocked = false;
    window.plenum.room._emit('audioBlocked', { blocked: false });
  }));
  await phone.page.click('#tool-more');
  await desk.page.click('#tool-devices');
  await shoot('more', { light: true });
  await phone.page.click('.dialog-menu button:last-child');
  await shoot('devices');
  await both((page) => page.keyboard.press('Escape'));
  await server.stop('SIGKILL');
  await both((page) => page.waitForSelector('#banner:not([hidden])'));
  await shoot('reconnecting');
  await phone.close();
  const late = await open('Zoe', PHONE).catch(() => null);
  await late?.close();
  await server.start();
  const eve = await open('Eve', { ...PHONE, flags: { token: 'eyJhbGciOiJIUzI1NiJ9.bm9ib2R5.c2lnbmF0dXJl', autojoin: '1' } });
  await eve.page.waitForSelector('#dialog[open]');
  await eve.screenshot('look-token-phone');
  await eve.close();
  const gone = await open('Gus', DESK);
  await sleep(500);
  await server.stop('SIGKILL');
  await gone.page.click('#join');
  await gone.page.waitForSelector('#dialog[open]');
  await gone.screenshot('look-unreachable-desk');
} finally {
  await browser.close();
  await server.stop();
}

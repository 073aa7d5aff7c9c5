// Three people in a room: they see and hear each other, mute, share, reload and leave.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person, launch } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/until.mjs';

const RED = [200, 40, 40];
const BLUE = [40, 70, 210];
const PURPLE = [140, 40, 170];
/** The picture of Chromium's fake camera is green, whatever else it shows. */
const FAKE_DEVICE = [0, 136, 0];
const ROOM = 'browser-test';

describe('three people in one room', { timeout: 300_000 }, () => {
  let browser;
  let server;
  let ada;
  let bob;
  let cara;

  before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
    const open = (name, options) => Person.open(browser, server, name, { room: ROOM, ...options });
    ada = await open('Ada', { media: { colour: RED, screenColour: PURPLE, tone: 440 } });
    bob = await open('Bob', { media: { colour: BLUE, screenColour: PURPLE, tone: 880 } });
    cara = await open('Cara', { flags: { size: '320x180' } });
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('everyone gets in', async () => {
    await ada.page.waitForSelector('.has-picture');
    await ada.screenshot('lobby-desktop');
    await Promise.all([ada, bob, cara].map((person) => person.join()));
    for (const person of [ada, bob, cara]) {
      await person.page.waitForFunction(() => window.plenum.room.state === 'connected', null, { timeout: 20_000 });
      await until(`${person.name} counts three`, async () => (await person.page.textContent('#count')) === '3 people');
    }
  });

  test('each decodes the pictures of the two others, and they are theirs', async () => {
    await Promise.all([
      ada.sees('Bob', BLUE), ada.sees('Cara', FAKE_DEVICE), bob.sees('Ada', RED),
      bob.sees('Cara', FAKE_DEVICE), cara.sees('Ada', RED), cara.sees('Bob', BLUE),
    ]);
    await ada.screenshot('grid-desktop');
  });

  test('each hears the two others, and the tones are theirs', async () => {
    await Promise.all([
      ada.hears('Bob', 880), ada.hears('Cara', null), bob.hears('Ada', 440),
      bob.hears('Cara', null), cara.hears('Ada', 440), cara.hears('Bob', 880),
    ]);
    const energies = async () => (await cara.stats()).remotes.filter((s) => s.kind === 'audio').map((s) => s.audioEnergy);
    const earlier = await energies();
    await until('the audio energy rises on both slots', async () => {
      const now = await energies();
      return earlier.length >= 2 && now.length === earlier.length && now.every((energy, i) => energy > earlier[i]);
    });
  });

  test('who speaks is shown', async () => {
    await cara.tileIs('Bob', 'speaking');
    await cara.tileIs('Ada', 'speaking');
  });

  test('a muted microphone is silent and marked, and comes back', async () => {
    await bob.page.keyboard.press('m');
    await Promise.all([ada.tileIs('Bob', 'mic-muted'), cara.tileIs('Bob', 'mic-muted')]);
    await Promise.all([ada.hearsNothing('Bob'), cara.hearsNothing('Bob')]);
    await cara.hears('Ada', 440);
    await bob.page.keyboard.press('m');
    await Promise.all([ada.tileIs('Bob', 'mic-muted', false), ada.hears('Bob', 880)]);
  });

  test('a stopped camera shows the avatar, and comes back', async () => {
    await bob.page.keyboard.press('v');
    await Promise.all([ada.tileIs('Bob', 'no-picture'), cara.tileIs('Bob', 'no-picture')]);
    await bob.page.keyboard.press('v');
    await Promise.all([ada.sees('Bob', BLUE), cara.sees('Bob', BLUE)]);
  });

  test('a shared screen takes the stage beside the camera', async () => {
    await ada.page.keyboard.press('s');
    const [screen] = await Promise.all([
      bob.sees('Ada', PURPLE, { kind: 'screen' }), cara.sees('Ada', PURPLE, { kind: 'screen' }), cara.sees('Ada', RED),
    ]);
    assert.equal(screen.main, true, 'the screen is the large tile');
    await cara.page.keyboard.press('i');
    await cara.page.waitForSelector('.tile .figures:not([hidden])');
    await cara.screenshot('screen-statistics-desktop');
    await cara.page.keyboard.press('i');
    await ada.page.keyboard.press('s');
    await Promise.all([bob.tile('Ada', 'screen', 'detached'), cara.tile('Ada', 'screen', 'detached')]);
    await bob.sees('Ada', RED);
  });

  test('a screen can be shared again', async () => {
    await ada.page.keyboard.press('s');
    await bob.sees('Ada', PURPLE, { kind: 'screen' });
    await ada.page.keyboard.press('s');
    await bob.tile('Ada', 'screen', 'detached');
  });

  test('a reload brings the same person back', async () => {
    await cara.page.reload();
    await ada.tile('Cara', 'camera', 'detached');
    await cara.join();
    await Promise.all([cara.sees('Ada', RED), cara.sees('Bob', BLUE), ada.sees('Cara', FAKE_DEVICE), bob.sees('Cara', FAKE_DEVICE)]);
    assert.equal(await ada.page.textContent('#count'), '3 people');
  });

  test('somebody without camera and microphone joins on a phone and sees everyone', async () => {
    // Without a granted device Chromium hides the addresses behind mDNS names.
    const phone = await Person.open(browser, server, 'Dora', {
      room: ROOM, flags: { camera: '0', mic: '0' }, viewport: { width: 390, height: 844 },
      context: { deviceScaleFactor: 2, isMobile: true, hasTouch: true, colorScheme: 'dark' },
    });
    await phone.screenshot('lobby-phone');
    await phone.join();
    await Promise.all([phone.sees('Ada', RED), phone.sees('Bob', BLUE), phone.sees('Cara', FAKE_DEVICE)]);
    await phone.hears('Ada', 440);
    await phone.screenshot('grid-phone');
    await phone.page.keyboard.press('g');
    await phone.page.waitForSelector('.tile.main');
    await phone.screenshot('speaker-phone');
    await phone.close();
    await ada.tile('Dora', 'camera', 'detached');
  });

  test('who leaves is gone for the others', async () => {
    await bob.page.click('#tool-leave');
    await bob.page.waitForSelector('#lobby:not([hidden])');
    await Promise.all([ada.tile('Bob', 'camera', 'detached'), cara.tile('Bob', 'camera', 'detached')]);
    assert.equal(await ada.page.textContent('#count'), '2 people');
    await ada.sees('Cara', FAKE_DEVICE);
  });

  test('no script failed', () => {
    for (const person of [ada, bob, cara]) assert.deepEqual(person.errors, []);
  });
});

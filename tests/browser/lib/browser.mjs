// Chromium, pages in a call, and what they see and hear.

import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { sleep, until } from './until.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ARTIFACTS = path.resolve(HERE, '../artifacts');
const SYNTHETIC = readFileSync(path.join(HERE, 'synthetic-media.js'), 'utf8');

/** How far a decoded colour may be from the painted one (per channel, of 255). */
const COLOUR_TOLERANCE = 45;

const FLAGS = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream=fps=30',
  '--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required',
  '--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding', '--disable-background-timer-throttling',
];

/** Starts Chromium (CHROMIUM_BIN or Debian's), with more flags. */
export function launch(flags = []) {
  return chromium.launch({ executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium', args: [...FLAGS, ...flags] });
}

/** One person: a page of the demo app in a browser context of its own. */
export class Person {
  errors = [];

  /**
   * `media` configures synthetic devices (see synthetic-media.js); without it Chromium's own
   * fake devices are used. `flags` are URL flags of the demo app.
   */
  static async open(browser, server, name, { room, media, flags = {}, viewport = { width: 960, height: 640 }, context = {}, initScripts = [], hash = '' }) {
    const person = new Person();
    person.name = name;
    person.context = await browser.newContext({ viewport, ...context });
    person.page = await person.context.newPage();
    person.page.on('pageerror', (error) => person.errors.push(error));
    if (media) await person.page.addInitScript(`(${SYNTHETIC.trim()})(${JSON.stringify(media)})`);
    await person.page.addInitScript(readFileSync(path.join(HERE, 'probe.js'), 'utf8'));
    for (const [script, argument] of initScripts) await person.page.addInitScript(script, argument);
    const query = new URLSearchParams({ room, name, ...flags });
    await person.page.goto(`${server.url}/?${query}${hash}`);
    return person;
  }

  /** Clicks "Join" and waits for the call. */
  async join() {
    await this.page.click('#join');
    await this.inCall();
  }

  inCall() {
    return this.page.waitForSelector('#call:not([hidden])', { timeout: 20_000 });
  }

  /** What this page knows of somebody's picture: size, frames, colour; null without a tile. */
  picture(name, kind = 'camera') { return this.page.evaluate(([n, k]) => window.probe.picture(n, k), [name, kind]); }

  /** Loudness and dominant frequency of somebody's sound, measured over half a second. */
  sound(name) { return this.page.evaluate((n) => window.probe.sound(n), name); }

  /** Waits until somebody's picture has the colour and goes on moving. */
  async sees(name, colour, { kind = 'camera', timeout = 25_000 } = {}) {
    const isRight = (picture) => picture?.playing && colourMatches(picture.colour, colour);
    let { framesDecoded: first } = await until(`${this.name} sees ${name} (${kind}) in ${colour}`, async () => {
      const picture = await this.picture(name, kind);
      if (isRight(picture)) return picture;
      throw new Error(JSON.stringify(picture));
    }, { timeout });
    return until(`${this.name} decodes more frames of ${name}`, async () => {
      const picture = await this.picture(name, kind);
      if (!isRight(picture)) throw new Error(JSON.stringify(picture));
      first = Math.min(first, picture.framesDecoded); // a new connection counts from zero
      return picture.framesDecoded >= first + 10 ? picture : null;
    }, { timeout });
  }

  /** Waits until somebody's tone, or any sound if `tone` is null, arrives. */
  hears(name, tone) {
    return until(`${this.name} hears ${name} at ${tone ?? 'any'} Hz`, async () => {
      const sound = await this.sound(name);
      const right = sound && sound.level > 0.02 && (tone === null || Math.abs(sound.frequency - tone) < 40);
      if (right) return sound;
      throw new Error(JSON.stringify(sound));
    }, { timeout: 25_000 });
  }

  /** Waits until nothing is heard of somebody, and stays so for a while. */
  async hearsNothing(name) {
    const silent = async () => ((await this.sound(name))?.level ?? 0) < 0.003;
    await until(`${this.name} hears ${name} fall silent`, silent);
    for (let i = 0; i < 3; i += 1) {
      if (!(await silent())) throw new Error(`${this.name} still hears ${name}`);
      await sleep(200);
    }
  }

  /** Waits until a tile is there, or gone. */
  tile(name, kind, state = 'visible') {
    return this.page.waitForSelector(`.tile[data-kind="${kind}"][aria-label="${label(name, kind)}"]`, { state, timeout: 20_000 });
  }

  /** Waits for a CSS class to be on, or off, somebody's tile. */
  tileIs(name, className, on = true) {
    const selector = `.tile[aria-label="${label(name, 'camera')}"]${on ? `.${className}` : `:not(.${className})`}`;
    return this.page.waitForSelector(selector, { state: 'attached', timeout: 20_000 });
  }

  stats() { return this.page.evaluate(() => window.plenum.room.getStats()); }

  async screenshot(file) {
    mkdirSync(ARTIFACTS, { recursive: true });
    const finite = () => Promise.all(document.getAnimations().filter((a) => a.effect.getTiming().iterations !== Infinity).map((a) => a.finished.catch(() => {})));
    await this.page.evaluate(finite);
    await this.page.screenshot({ path: path.join(ARTIFACTS, `${file}.png`) });
  }

  async close() { await this.context.close(); }
}

function label(name, kind) {
  return kind === 'screen' ? `${name}’s screen` : name;
}

/** Whether a decoded colour is the painted one. */
export function colourMatches(seen, painted) {
  return Boolean(seen) && seen.every((value, index) => Math.abs(value - painted[index]) <= COLOUR_TOLERANCE);
}

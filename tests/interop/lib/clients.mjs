// The clients, all with the same two abilities: to publish a colour and a tone, and to play and
// say what was decoded.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const CLIENTS = path.resolve(HERE, '../clients');

/** How long a program may take for anything. */
const PATIENCE_MS = 45_000;

/** What Firefox's microphone plays, in Hz. */
export const FIREFOX_HERTZ = 550;

const CHROMIUM = {
  browser: 'chrome',
  executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium',
  args: [
    '--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
    '--autoplay-policy=no-user-gesture-required', '--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding', '--disable-background-timer-throttling',
  ],
};

const FIREFOX = {
  browser: 'firefox',
  executablePath: process.env.FIREFOX_BIN ?? '/usr/bin/firefox-esr',
  extraPrefsFirefox: {
    // A microphone that plays a tone: an AudioContext needs a sound card.
    'media.navigator.streams.fake': true,
    'media.navigator.permission.disabled': true,
    'media.navigator.audio.fake_frequency': FIREFOX_HERTZ,
    'media.autoplay.default': 0,
    'media.autoplay.blocking_policy': 0,
    'media.autoplay.block-webaudio': false,
    'media.gmp-manager.updateEnabled': false,
    'app.update.enabled': false,
  },
};

/** A program that publishes until its standard input ends, or plays and tells. */
class Program {
  #command;

  constructor(...command) {
    this.#command = command;
  }

  async start() {}

  async stop() {}

  #run(...words) {
    const [program, ...before] = this.#command;
    const child = spawn(program, [...before, ...words], {
      cwd: CLIENTS, stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text) => { errors += text; });
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    const ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => {
        clearTimeout(timer);
        if (code === 0) resolve();
        else reject(new Error(`${program} ${before.join(' ')} ${words[0]} ended with ${code}: ${errors}`));
      });
    });
    const lines = createInterface({ input: child.stdout });
    const told = new Promise((resolve) => { lines.once('line', (line) => resolve(JSON.parse(line))); });
    // An end without a word is an error of `ended`.
    return { child, ended, told: Promise.race([told, ended.then(() => { throw new Error('nothing was told'); })]) };
  }

  /** Publishes; the answer ends it. */
  async publish(endpoint, token, colour, hertz) {
    const { child, ended, told } = this.#run('publish', endpoint, token, colour, hertz);
    await told;
    return () => {
      child.stdin.end();
      return ended;
    };
  }

  async play(endpoint, token) {
    const { ended, told } = this.#run('play', endpoint, token);
    const outcome = await told;
    await ended;
    return outcome;
  }
}

/** A page in a browser. */
class Browser {
  #options;

  #browser;

  #origin;

  #html;

  constructor(options) {
    this.#options = options;
  }

  async start() {
    const script = readFileSync(path.join(CLIENTS, 'page.js'), 'utf8');
    this.#html = `<!doctype html><meta charset="utf-8"><title>interop</title><script>${script}</script>`;
    this.#origin = createServer((_, response) => response.setHeader('Content-Type', 'text/html; charset=utf-8').end(this.#html));
    await new Promise((resolve) => { this.#origin.listen(0, '127.0.0.1', resolve); });
    this.#browser = await puppeteer.launch({ headless: true, protocolTimeout: PATIENCE_MS, ...this.#options });
  }

  async stop() {
    await this.#browser?.close();
    this.#origin?.close();
  }

  /** In a window of its own: pages that are not in front paint once a second. */
  async #page() {
    const page = await this.#browser.newPage({ type: 'window' });
    await page.goto(`http://127.0.0.1:${this.#origin.address().port}/`);
    return page;
  }

  async publish(endpoint, token, colour, hertz) {
    const page = await this.#page();
    // The other one publishes what WHIP takes beside the minimum: simulcast.
    const media = this.#options === FIREFOX ? { hertz: null, rids: [] } : { hertz, rids: ['h', 'f'] };
    const what = [endpoint, token, { colour, ...media }];
    await page.evaluate((args) => window.client.publish(...args), what);
    return async () => {
      const statuses = await page.evaluate(() => window.client.unpublish());
      await page.close();
      if (statuses.join() !== '200,404') throw new Error(`DELETE twice was answered with ${statuses}`);
    };
  }

  /** Plays the page `html` until its <video> moves on. */
  async watch(html) {
    const own = this.#html;
    this.#html = html;
    const page = await this.#page();
    this.#html = own;
    await page.waitForFunction(() => {
      const video = document.querySelector('video');
      return video.videoWidth > 0 && video.currentTime > 1;
    }, { timeout: PATIENCE_MS });
    await page.close();
  }

  async play(...what) {
    const page = await this.#page();
    const outcome = await page.evaluate((args) => window.client.play(...args), what);
    await page.close();
    return outcome;
  }
}

const PYTHON = path.join(process.env.INTEROP_VENV ?? '', 'bin/python');

/** By name. */
export const CLIENTS_BY_NAME = {
  aiortc: new Program(PYTHON, 'aiortc_client.py'),
  gstreamer: new Program('/usr/bin/python3', 'gstreamer.py'),
  chromium: new Browser(CHROMIUM),
  firefox: new Browser(FIREFOX),
};

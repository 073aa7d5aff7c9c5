// What end-to-end encryption costs in Chromium: keys from a passphrase, encrypting and decrypting
// one frame, and the bytes that a frame grows by.

import { launch } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';

const DERIVATIONS = 20;
const FRAMES = 2000;
/** Frames as a call has them, in bytes: sound of 20 ms, pictures of 15 frames/s at 180p and at 720p. */
const SIZES = { audio: 80, 'video, small': 1500, 'video, large': 14_000 };

/** Runs in the page. */
async function measure({ derivations, frames, sizes }) {
  const [{ deriveKeys }, { FrameDecryptor, FrameEncryptor, KeyRing }] = await Promise.all([import('/sdk/e2ee-keys.js'), import('/sdk/e2ee-frames.js')]);
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  const timed = async (times, act) => {
    const spans = [];
    for (let i = 0; i < times; i += 1) {
      const start = performance.now();
      await act(i);
      spans.push(performance.now() - start);
    }
    return median(spans);
  };
  /** Clocks of pages are too coarse for one frame: the mean of many. */
  const mean = async (times, act) => {
    const start = performance.now();
    for (let i = 0; i < times; i += 1) await act();
    return ((performance.now() - start) * 1000) / times;
  };
  const rows = [['keys from a passphrase', `${(await timed(derivations, (i) => deriveKeys(`passphrase ${i}`, 'tea'))).toFixed(0)} ms`]];
  const ring = new KeyRing();
  ring.add(await deriveKeys('passphrase', 'tea'));
  for (const [name, size] of Object.entries(sizes)) {
    const use = name.split(',')[0];
    const encryptor = new FrameEncryptor(ring, use);
    const decryptor = new FrameDecryptor(ring, use);
    const frame = crypto.getRandomValues(new Uint8Array(size));
    let sealed;
    const encrypt = await mean(frames, async () => { sealed = await encryptor.encrypt(frame); });
    const decrypt = await mean(frames, async () => { if (!(await decryptor.decrypt(sealed))) throw new Error('not decrypted'); });
    const micro = (value) => `${Math.round(value)} µs`;
    rows.push([`${name}: ${size} bytes`, `encrypt ${micro(encrypt)}, decrypt ${micro(decrypt)}, ${sealed.length - size} bytes more (${((100 * (sealed.length - size)) / size).toFixed(1)} %)`]);
  }
  return rows;
}

const [server, browser] = await Promise.all([Server.start(), launch()]);
try {
  const page = await browser.newPage();
  await page.goto(`${server.url}/docs`);
  for (const row of await page.evaluate(measure, { derivations: DERIVATIONS, frames: FRAMES, sizes: SIZES })) console.log(row.join(': '));
} finally {
  await browser.close();
  await server.stop();
}

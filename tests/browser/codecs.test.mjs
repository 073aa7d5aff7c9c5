// Every codec that Chromium can send is forwarded, and its layers are chosen: simulcast and SVC.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person, launch } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/until.mjs';

const BLUE = [40, 70, 210];
const LARGE = { width: 1280, height: 800 };
const SMALL = { width: 320, height: 400 };

describe('codecs', { timeout: 300_000 }, () => {
  let browser;
  let server;

  before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const WAYS = [
    ...['vp8', 'vp9', 'h264', 'av1'].map((codec) => [`${codec}, two encodings`, { codec }]),
    ['vp9, layers in one stream that meet at keyframes', { codec: 'vp9', simulcast: false, scalabilityMode: 'L3T3_KEY' }],
    ['vp9, layers in one stream', { codec: 'vp9', simulcast: false, scalabilityMode: 'L2T2' }],
    ['av1, layers in one stream', { codec: 'av1', simulcast: false, scalabilityMode: 'L2T1' }],
  ];
  for (const [name, options] of WAYS) {
    const { codec } = options;
    test(`${name}: both sizes arrive, in turn`, async () => {
      const room = name.replace(/[^a-z0-9]+/g, '-');
      const flags = { camera: '0', mic: '0' };
      const sender = await Person.open(browser, server, 'Sender', { room, flags, media: { colour: BLUE, tone: 440, width: 640, height: 360 } });
      const viewer = await Person.open(browser, server, 'Viewer', { room, flags, viewport: LARGE });
      await Promise.all([sender.join(), viewer.join()]);
      await sender.page.evaluate((wanted) => window.plenum.room.publishCamera(wanted).then(() => {}), options);

      const arrives = (what, right) => until(what, async () => {
        const picture = await viewer.picture('Sender');
        if (picture && right(picture)) return picture;
        throw new Error(JSON.stringify(picture));
      }, { timeout: 40_000, every: 300 });
      await arrives('the full picture', ({ width }) => width === 640);
      await viewer.sees('Sender', BLUE);
      const { remotes } = await viewer.stats();
      assert.equal(remotes.find(({ kind }) => kind === 'video')?.codec, codec);

      await viewer.page.setViewportSize(SMALL);
      await arrives('the small picture', ({ width }) => width === 320);
      await viewer.sees('Sender', BLUE);
      await viewer.page.setViewportSize(LARGE);
      await arrives('the full picture again', ({ width }) => width === 640);
      await viewer.sees('Sender', BLUE);
      await Promise.all([sender.close(), viewer.close()]);
    });
  }
});

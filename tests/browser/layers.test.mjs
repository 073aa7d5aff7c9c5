// The size of a tile chooses the layer.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person, launch } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/until.mjs';

const RED = [200, 40, 40];
const LARGE = { width: 1280, height: 800 };
const SMALL = { width: 320, height: 400 };

describe('layers', { timeout: 180_000 }, () => {
  let browser;
  let server;
  let sender;
  let viewer;

  before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
    sender = await Person.open(browser, server, 'Sender', { room: 'layers', media: { colour: RED, tone: 440, width: 640, height: 360 } });
    viewer = await Person.open(browser, server, 'Viewer', { room: 'layers', viewport: LARGE, flags: { camera: '0', mic: '0' } });
    await Promise.all([sender.join(), viewer.join()]);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const seen = (what, right) => until(what, async () => {
    const picture = await viewer.picture('Sender');
    if (picture && right(picture)) return picture;
    throw new Error(JSON.stringify({ picture, sends: await sender.stats().then((s) => s.publications) }));
  }, { timeout: 40_000, every: 300 });

  test('a large tile gets the full picture', async () => {
    await viewer.sees('Sender', RED);
    await seen('the full picture arrives', ({ width, height }) => width === 640 && height === 360);
  });

  test('a small tile gets a lower layer, which goes on moving', async () => {
    await viewer.page.setViewportSize(SMALL);
    const small = await seen('the lower layer arrives', ({ width }) => width <= 320);
    assert.equal(small.reason, 'viewport');
    await viewer.sees('Sender', RED);
  });

  const made = async () => (await sender.stats()).publications.find(({ kind }) => kind === 'video').encodings.filter(({ active }) => active).map(({ rid }) => rid);

  test('what nobody wants is not made any more', async () => {
    await until('one encoding is left', async () => {
      const rids = await made();
      if (rids.length === 1) return rids;
      throw new Error(JSON.stringify(rids));
    });
    assert.deepEqual(await made(), ['q']);
    await viewer.sees('Sender', RED);
  });

  test('enlarging brings the full picture back', async () => {
    await viewer.page.setViewportSize(LARGE);
    const large = await seen('the full picture is back', ({ width, height }) => width === 640 && height === 360);
    assert.equal(large.reason, 'best');
    assert.equal((await made()).length, 2);
    await viewer.sees('Sender', RED);
  });

  test('a hidden tile costs nothing', async () => {
    await viewer.page.evaluate(() => { document.querySelector('.tile:not(.own)').style.visibility = 'hidden'; document.querySelector('.tile:not(.own)').style.display = 'none'; });
    await seen('the slot is paused', ({ layer }) => layer === null);
    const before = await viewer.picture('Sender');
    await viewer.page.waitForTimeout(1500);
    const later = await viewer.picture('Sender');
    assert.ok(later.framesDecoded - before.framesDecoded <= 5, `${later.framesDecoded - before.framesDecoded} frames came all the same`);
    await viewer.page.evaluate(() => { document.querySelector('.tile:not(.own)').removeAttribute('style'); });
  });
});

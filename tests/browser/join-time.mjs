// Measures how long joining takes: from the click on "Join" to the first remote frame shown.
// Usage: node join-time.mjs [runs]

import { Person, launch } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/until.mjs';

const RUNS = Number(process.argv[2] ?? 20);
/** What the median shall not exceed, in ms. */
const TARGET_MS = 500;

/** Runs in the page: notes when things happen, in ms after the click. */
function stopwatch() {
  const marks = (window.joinMarks = {});
  let start = 0;
  const mark = (name) => { marks[name] ??= performance.now() - start; };
  addEventListener('click', (event) => { if (event.target.closest?.('#join')) start = performance.now(); }, true);
  setInterval(() => {
    if (!start) return;
    const room = window.plenum?.room;
    if (room?.id) mark('joined');
    if (room?.state === 'connected') mark('connected');
    if (marks.frame && marks.connected) clearInterval(timer);
    for (const video of document.querySelectorAll('.tile:not(.own) video')) {
      if (video.watched) continue;
      video.watched = true;
      video.requestVideoFrameCallback((now) => { mark('frame'); marks.frame = Math.min(marks.frame, now - start); });
    }
  }, 2);
}

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

async function measure(browser, server, title, media, flags) {
  console.log(`\n${title}\n run   joined  connected  first frame (ms)`);
  const results = [];
  for (let run = 1; run <= RUNS; run += 1) {
    const guest = await Person.open(browser, server, `Guest ${run}`, { room: 'join-time', media, flags });
    await guest.page.evaluate(`(${stopwatch})()`);
    if (flags.camera !== '0') await guest.page.waitForSelector('.has-picture');
    await guest.page.click('#join');
    const marks = await until('the first frame', () => guest.page.evaluate(() => (window.joinMarks.frame && window.joinMarks.connected ? window.joinMarks : null)));
    results.push(marks);
    const cell = (value, width) => value.toFixed(0).padStart(width);
    console.log(`${String(run).padStart(4)} ${cell(marks.joined, 8)} ${cell(marks.connected, 10)} ${cell(marks.frame, 12)}`);
    await guest.close();
  }
  const of = (name) => median(results.map((marks) => marks[name]));
  console.log(` median ${of('joined').toFixed(0).padStart(5)} ${of('connected').toFixed(0).padStart(10)} ${of('frame').toFixed(0).padStart(12)}   (target ${TARGET_MS})`);
  return of('frame');
}

const [server, browser] = await Promise.all([Server.start(), launch()]);
try {
  const host = await Person.open(browser, server, 'Host', { room: 'join-time', media: { colour: [200, 40, 40], tone: 440 } });
  await host.join();
  const viewer = await measure(browser, server, 'without camera and microphone', null, { camera: '0', mic: '0' });
  const publisher = await measure(browser, server, 'with camera and microphone', { colour: [40, 70, 210], tone: 880 }, {});
  process.exitCode = Math.max(viewer, publisher) > TARGET_MS ? 1 : 0;
} finally {
  await browser.close();
  await server.stop();
}

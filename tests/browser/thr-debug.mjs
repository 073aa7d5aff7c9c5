import { Person, launch } from './lib/browser.mjs';
import { Relay, throughRelay } from './lib/relay.mjs';
import { Server } from './lib/server.mjs';
import { sleep, until } from './lib/until.mjs';
const CAMERA = { width: 960, height: 540, frameRate: 15, noise: 40 };
const [server, browser] = await Promise.all([Server.start({ PLENUM_MEDIA__SHARDS: '1' }), launch()]);
const relay = await Relay.start(server.udpPort);
const room='narrow';
const init = [[() => { const O = RTCPeerConnection; window.pcs = []; window.RTCPeerConnection = class extends O { constructor(...a) { super(...a); window.pcs.push(this); } }; }, null]];
const ada = await Person.open(browser, server, 'Ada', { room, media: { ...CAMERA, colour: [200, 40, 40], tone: 440 }, initScripts: init });
const bob = await Person.open(browser, server, 'Bob', { room, media: { ...CAMERA, colour: [40, 40, 200], tone: 660 }, initScripts: init });
const viewer = await Person.open(browser, server, 'Viewer', { room, viewport: { width: 1900, height: 1000 }, flags: { camera: '0', mic: '0' }, initScripts: [[throughRelay, { from: server.udpPort, to: relay.port }]] });
await Promise.all([ada.join(), bob.join(), viewer.join()]);
await sleep(5000);
await viewer.page.evaluate(() => {
  window.log = [];
  const t0 = performance.timeOrigin;
  const add = (s) => window.log.push([Math.round(performance.now() + t0), s]);
  for (const tile of document.querySelectorAll('.tile:not(.own)[data-kind="camera"]')) {
    const video = tile.querySelector('video'); const name = tile.getAttribute('aria-label');
    let last = performance.now();
    const frame = () => { const now = performance.now(); if (now - last > 330) add(`${name} frame after ${Math.round(now - last)} w ${video.videoWidth}`); last = now; video.requestVideoFrameCallback(frame); };
    video.requestVideoFrameCallback(frame);
  }
  window.plenum.room.on('slotChanged', ({ participant, kind, layer, reason }) => { if (kind === 'video') add(`${participant?.name} layer ${JSON.stringify(layer)} ${reason}`); });
  let prev = '';
  setInterval(async () => { const { network, slots } = await window.plenum.room.explain(); const s = network.estimate; if (Math.abs(s - prev) > 0.1 * prev || !prev) { add(`est ${s}`); prev = s; } }, 100);
});
for (const who of [ada, bob]) await who.page.evaluate(() => {
  window.log = []; const t0 = performance.timeOrigin; const last = {};
  setInterval(async () => {
    for (const pc of window.pcs) for (const s of (await pc.getStats()).values()) if (s.type === 'outbound-rtp' && s.kind === 'video') {
      const now = performance.now(); const l = last[s.rid] ??= { frames: -1, at: now, text: '' };
      if (s.framesEncoded !== l.frames) { if (now - l.at > 350 && l.text.includes('true')) window.log.push([Math.round(now + t0), `source ${s.rid} frame after ${Math.round(now - l.at)}`]); l.frames = s.framesEncoded; l.at = now; }
      const text = `${s.active} ${s.frameWidth} ${s.qualityLimitationReason}`;
      if (text !== l.text) { window.log.push([Math.round(now + t0), `source ${s.rid} ${text} keys ${s.keyFramesEncoded} pli ${s.pliCount}`]); l.text = text; }
    }
  }, 100);
});
const steps = [];
for (const rate of [1_500_000, 500_000, 150_000, Infinity]) {
  steps.push([Date.now(), `=== ${rate} dropped ${relay.dropped}`]);
  relay.throttle(rate);
  await sleep(rate === 500_000 ? 4000 : 3000);
}
const tag = (name) => ([t, text]) => [t, `${name}: ${text}`];
const log = [...await viewer.page.evaluate(() => window.log), ...(await ada.page.evaluate(() => window.log)).map(tag('Ada')), ...(await bob.page.evaluate(() => window.log)).map(tag('Bob')), ...steps].sort((a, b) => a[0] - b[0]);
const start = steps[0][0];
for (const [t, s] of log) console.log(t - start, s);
await browser.close(); relay.stop(); await server.stop();
process.exit(0);

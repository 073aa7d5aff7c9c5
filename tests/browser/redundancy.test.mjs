// Redundant audio (RED, RFC 2198): each packet carries the one before it once more. Chromium makes
// it where it is preferred; the server passes it on, and gives plain Opus to who wants no other.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person, launch } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';
import { sleep } from './lib/until.mjs';

const TONE = 440;
/** Measured for so long, in ms. */
const WHILE_MS = 3000;

/** Runs in the page: sound is redundant, or it is not; keeps the peer connections. */
function prefer(redundant) {
  const Native = RTCPeerConnection;
  window.peerConnections = [];
  window.RTCPeerConnection = class extends Native {
    constructor(...options) {
      super(...options);
      window.peerConnections.push(this);
    }

    addTransceiver(...options) {
      const transceiver = super.addTransceiver(...options);
      if (transceiver.receiver.track.kind === 'audio') {
        const side = transceiver.direction === 'recvonly' ? RTCRtpReceiver : RTCRtpSender;
        const named = (name) => side.getCapabilities('audio').codecs.filter(({ mimeType }) => mimeType === name);
        transceiver.setCodecPreferences([...(redundant ? named('audio/red') : []), ...named('audio/opus')]);
        transceiver.setCodecPreferences = () => {};
      }
      return transceiver;
    }
  };
}

/** Runs in the page: packets and bytes of sound, sent or received. */
async function counted(type) {
  const reports = await Promise.all(window.peerConnections.map((pc) => pc.getStats()));
  const sound = reports.flatMap((report) => [...report.values()]).filter((report) => report.type === type && report.kind === 'audio');
  const sum = (...names) => sound.reduce((total, report) => total + names.reduce((part, name) => part + (report[name] ?? 0), 0), 0);
  return { packets: sum('packetsSent', 'packetsReceived'), bytes: sum('bytesSent', 'bytesReceived') };
}

describe('redundant audio', { timeout: 120_000 }, () => {
  let browser;
  let server;
  let ada;
  let bob;
  let carol;

  before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
    const open = (name, redundant, options) => Person.open(browser, server, name, { room: 'red', initScripts: [[prefer, redundant]], ...options });
    const listens = { flags: { camera: '0', mic: '0' } };
    ada = await open('Ada', true, { media: { colour: [200, 40, 40], tone: TONE }, flags: { camera: '0' } });
    bob = await open('Bob', true, listens);
    carol = await open('Carol', false, listens);
    await Promise.all([ada.join(), bob.join(), carol.join()]);
    await Promise.all([bob.hears('Ada', TONE), carol.hears('Ada', TONE)]);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  async function bytesPerPacket(person, type) {
    const first = await person.page.evaluate(counted, type);
    await sleep(WHILE_MS);
    const last = await person.page.evaluate(counted, type);
    return (last.bytes - first.bytes) / (last.packets - first.packets);
  }

  test('who prefers it gets it twice, who does not gets it once, and both hear the tone', async () => {
    const [sent, redundant, plain] = await Promise.all([
      bytesPerPacket(ada, 'outbound-rtp'), bytesPerPacket(bob, 'inbound-rtp'), bytesPerPacket(carol, 'inbound-rtp'),
    ]);
    console.log(`bytes a packet: ${sent.toFixed(1)} sent, ${redundant.toFixed(1)} with redundancy, ${plain.toFixed(1)} without`);
    assert.ok(sent > 1.8 * plain && redundant > 1.8 * plain, `${sent}, ${redundant}, ${plain}`);
    assert.deepEqual([...ada.errors, ...bob.errors, ...carol.errors], []);
  });
});

// TURN: a client that may use nothing else, and one that finds out that nothing else works.
// Credentials expire; they are made from the secret that the server shares with coturn.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Person, launch } from './lib/browser.mjs';
import { Relay, throughRelay } from './lib/relay.mjs';
import { Server, freeUdpPorts } from './lib/server.mjs';

const ROOM = 'relayed';
/** Ports of coturn's own, from which it speaks to the server. */
const RELAY_PORTS = 20;
const SECRET = 'a secret that both servers know';

/** Runs in the page: the type of the local candidate in use. */
async function pathInUse() {
  const reports = await window.plenum.room._connection.pc.getStats();
  const transport = [...reports.values()].find(({ type }) => type === 'transport');
  return reports.get(reports.get(transport?.selectedCandidatePairId)?.localCandidateId)?.candidateType;
}

/** Runs in the page before its scripts: candidates over TCP are none of this test's concern. */
function onlyUdp() {
  const set = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function setRemoteDescription({ type, sdp }) {
    return set.call(this, { type, sdp: sdp.replace(/a=candidate:\S+ \d tcp .*\r\n/gi, '') });
  };
}

describe('a relay', { timeout: 120_000 }, () => {
  let folder;
  let coturn;
  let browser;
  let server;
  let firewall;
  /** Whether a datagram comes from coturn. */
  let relayed;
  let ada;
  let bob;

  before(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'plenum-turn-'));
    const port = await freeUdpPorts(1 + RELAY_PORTS);
    relayed = (from) => from.port > port && from.port <= port + RELAY_PORTS;
    coturn = spawn('turnserver', [
      '-n', '--no-cli', '--no-tls', '--no-dtls', '--no-tcp', '--fingerprint', '--allow-loopback-peers', '--log-file=stdout',
      '--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', '--denied-peer-ip=0.0.0.0-255.255.255.255', '--allowed-peer-ip=127.0.0.1', `--listening-port=${port}`, `--min-port=${port + 1}`, `--max-port=${port + RELAY_PORTS}`, '--realm=plenum.test',
      '--use-auth-secret', `--static-auth-secret=${SECRET}`, `--pidfile=${path.join(folder, 'pid')}`, `--userdb=${path.join(folder, 'db')}`,
    ], { stdio: 'ignore' });
    const config = path.join(folder, 'plenum.toml');
    writeFileSync(config, `[[ice_servers]]\nurls = ["turn:127.0.0.1:${port}?transport=udp"]\nsecret = "${SECRET}"\n`);
    [server, browser] = await Promise.all([Server.start({ PLENUM_CONFIG: config }), launch()]);
    ada = await Person.open(browser, server, 'Ada', { room: ROOM, media: { colour: [200, 40, 40], tone: 440 }, flags: { relay: '1' } });
    bob = await Person.open(browser, server, 'Bob', { room: ROOM, media: { colour: [40, 70, 210], tone: 880 } });
  });

  after(async () => {
    await browser?.close();
    firewall?.stop();
    await server?.stop();
    if (coturn && coturn.exitCode === null) coturn.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  test('Ada is forced to use it, joins, sees and is seen', async () => {
    await Promise.all([ada.join(), bob.join()]);
    await Promise.all([ada.sees('Bob', [40, 70, 210]), bob.sees('Ada', [200, 40, 40])]);
    assert.equal(await ada.page.evaluate(pathInUse), 'relay');
    assert.equal(await bob.page.evaluate(pathInUse), 'host');
    assert.deepEqual([...ada.errors, ...bob.errors], []);
  });

  test('Cara, whose firewall lets no UDP through, falls back to it by herself', async () => {
    firewall = await Relay.start(server.udpPort, relayed);
    const cara = await Person.open(browser, server, 'Cara', {
      room: ROOM, media: { colour: [30, 150, 60], tone: 660 },
      initScripts: [[onlyUdp], [throughRelay, { from: server.udpPort, to: firewall.port }]],
    });
    await cara.join();
    await Promise.all([cara.sees('Bob', [40, 70, 210]), bob.sees('Cara', [30, 150, 60]), cara.hears('Bob', 880)]);
    // Only coturn gets through, so what she sees and hears came by it.
    assert.ok(firewall.refused > 0, 'the direct path was tried');
    assert.equal((await cara.stats()).connection.relayProtocol, 'udp');
    assert.deepEqual(cara.errors, []);
  });
});

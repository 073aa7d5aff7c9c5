// A client that may only use TURN: credentials that expire, made from the secret that the server
// shares with coturn.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Person, launch } from './lib/browser.mjs';
import { Server, freeUdpPorts } from './lib/server.mjs';

const ROOM = 'relayed';
const SECRET = 'a secret that both servers know';

/** Runs in the page: the type of the local candidate in use. */
async function pathInUse() {
  const reports = await window.plenum.room._connection.pc.getStats();
  const transport = [...reports.values()].find(({ type }) => type === 'transport');
  return reports.get(reports.get(transport?.selectedCandidatePairId)?.localCandidateId)?.candidateType;
}

describe('a relay', { timeout: 120_000 }, () => {
  let folder;
  let coturn;
  let browser;
  let server;
  let ada;
  let bob;

  before(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'plenum-turn-'));
    const port = await freeUdpPorts(1);
    coturn = spawn('turnserver', [
      '-n', '--no-cli', '--no-tls', '--no-dtls', '--no-tcp', '--fingerprint', '--allow-loopback-peers', '--log-file=stdout',
      '--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', '--denied-peer-ip=0.0.0.0-255.255.255.255', '--allowed-peer-ip=127.0.0.1', `--listening-port=${port}`, '--realm=plenum.test',
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
});

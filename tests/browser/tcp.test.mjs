// Media over TCP: in browsers that may not use UDP, and in a page that does not see the server's
// UDP, through a relay that can cut the connection.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Person, launch } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';
import { TcpRelay } from './lib/tcp-relay.mjs';
import { until } from './lib/until.mjs';

const RED = [200, 40, 40];
const BLUE = [40, 70, 210];
const ROOM = 'no-udp';

/** What an administrator or an extension sets where UDP must not go around the proxy. */
const NO_UDP = '--webrtc-ip-handling-policy=disable_non_proxied_udp';

/** Runs in the page: of the server's candidates it sees those over TCP alone, behind the relay. */
function blockUdp({ from, to }) {
  const { setRemoteDescription } = RTCPeerConnection.prototype;
  window.withheld = [];
  RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
    const lines = sdp.split('\r\n');
    window.withheld.push(...lines.filter((line) => /^a=candidate:.* udp /i.test(line)));
    const seen = lines
      .filter((line) => !/^a=candidate:.* udp /i.test(line))
      .map((line) => (/^a=candidate:.* tcp /.test(line) ? line.replace(` ${from} typ`, ` ${to} typ`) : line));
    return setRemoteDescription.call(this, { type, sdp: seen.join('\r\n') });
  };
}

/** Runs in the page: the protocol of the pair in use, and the state of ICE. */
async function pathInUse() {
  const { pc } = window.plenum.room._connection;
  window.firstPeerConnection ??= pc;
  const reports = await pc.getStats();
  const transport = [...reports.values()].find(({ type }) => type === 'transport');
  const pair = reports.get(transport?.selectedCandidatePairId);
  const [local, remote] = [pair?.localCandidateId, pair?.remoteCandidateId].map((id) => reports.get(id));
  return {
    local: local?.protocol, localPort: local?.port, remote: remote?.protocol, tcpType: local?.tcpType,
    ice: pc.iceConnectionState, samePeerConnection: pc === window.firstPeerConnection,
  };
}

describe('a browser that may not use UDP', { timeout: 120_000 }, () => {
  let browser;
  let server;
  let ada;
  let bob;

  before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch([NO_UDP])]);
    ada = await Person.open(browser, server, 'Ada', { room: ROOM, media: { colour: RED, tone: 440 } });
    bob = await Person.open(browser, server, 'Bob', { room: ROOM, media: { colour: BLUE, tone: 880 } });
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('two in it see and hear each other over TCP', async () => {
    await Promise.all([ada.join(), bob.join()]);
    await Promise.all([ada.sees('Bob', BLUE), bob.sees('Ada', RED), ada.hears('Bob', 880), bob.hears('Ada', 440)]);
    for (const person of [ada, bob]) {
      const { local, remote } = await person.page.evaluate(pathInUse);
      assert.deepEqual([local, remote, person.errors], ['tcp', 'tcp', []]);
    }
  });
});

describe('a network without UDP', { timeout: 120_000 }, () => {
  let browser;
  let server;
  let relay;
  let ada;
  let bob;

  before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
    relay = await TcpRelay.start(server.tcpPort);
    const initScripts = [[blockUdp, { from: server.tcpPort, to: relay.port }]];
    ada = await Person.open(browser, server, 'Ada', { room: ROOM, media: { colour: RED, tone: 440 }, initScripts });
    bob = await Person.open(browser, server, 'Bob', { room: ROOM, media: { colour: BLUE, tone: 880 } });
  });

  after(async () => {
    await browser?.close();
    relay?.stop();
    await server?.stop();
  });

  const metric = async (name) => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    return Number(text.split('\n').find((line) => line.startsWith(`${name} `))?.split(' ').at(-1));
  };
  const everythingFlows = () => Promise.all([ada.sees('Bob', BLUE), bob.sees('Ada', RED), ada.hears('Bob', 880), bob.hears('Ada', 440)]);

  test('Ada joins over TCP, sees and is seen, hears and is heard', async () => {
    await Promise.all([ada.join(), bob.join()]);
    await everythingFlows();
    const { local, remote, tcpType } = await ada.page.evaluate(pathInUse);
    assert.deepEqual({ local, remote, tcpType }, { local: 'tcp', remote: 'tcp', tcpType: 'active' });
    const bobs = await bob.page.evaluate(pathInUse);
    assert.deepEqual([bobs.local, bobs.remote], ['udp', 'udp']);
    assert.ok(await metric('plenum_tcp_connections') >= 1);
    await until('media has gone over TCP', async () => (await metric('plenum_tcp_bytes_total{direction="out"}')) > 100_000);
    await ada.screenshot('tcp');
  });

  test('the connection is cut: the call comes back over another, with the same keys', async () => {
    const before = await ada.page.evaluate(pathInUse);
    const accepted = await metric('plenum_tcp_accepted_total');
    relay.cut();
    await until('Ada has connected again', async () => (await metric('plenum_tcp_accepted_total')) > accepted);
    await everythingFlows();
    const after = await ada.page.evaluate(pathInUse);
    assert.deepEqual([after.local, after.samePeerConnection], ['tcp', true]);
    assert.equal(after.ice, before.ice);
  });

  test('UDP works at last: Ada moves there and the connection goes', async () => {
    await ada.page.evaluate(async () => {
      const [line] = window.withheld;
      await window.plenum.room._connection.pc.addIceCandidate({ candidate: line.slice(2), sdpMLineIndex: 0 });
    });
    await until('Ada is on UDP', async () => {
      const now = await ada.page.evaluate(pathInUse);
      if (now.local === 'udp') return now;
      throw new Error(JSON.stringify(now));
    });
    relay.refusing = true;
    relay.cut();
    await until('the server knows that the connection is gone', async () => (await metric('plenum_tcp_connections')) === 0);
    await everythingFlows();
    assert.deepEqual([...ada.errors, ...bob.errors], []);
  });
});

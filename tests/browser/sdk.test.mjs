// Promises, errors, devices and figures of the SDK, in pages of their own without the demo app.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { launch } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/until.mjs';

/** Runs in a page before its scripts: the SDK at hand, and what nobody caught. */
function prepare() {
  window.uncaught = [];
  addEventListener('unhandledrejection', ({ reason }) => window.uncaught.push(String(reason?.code ?? reason)));
  addEventListener('error', ({ message }) => window.uncaught.push(message));
  /** The code that a promise rejects with, or `none`. */
  window.codeOf = (promise) => Promise.resolve(promise).then(() => 'none', (error) => error.code ?? `${error}`);
  window.ready = import('/plenum.js').then((sdk) => Object.assign(window, sdk));
}

describe('the SDK', { timeout: 120_000 }, () => {
  let browser;
  let server;
  let page;
  let token;

  before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
    token = server.token('sdk', 'ada');
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const open = async () => {
    const opened = await browser.newPage();
    await opened.addInitScript(prepare);
    await opened.goto(`${server.url}/docs`);
    await opened.evaluate(() => window.ready.then(() => {}));
    return opened;
  };
  const nothingUncaught = async (...pages) => {
    for (const it of pages) {
      assert.deepEqual(await it.evaluate(() => window.uncaught), []);
      await it.close();
    }
  };

  beforeEach(async () => { page = await open(); });

  test('what is wrong with joining has a code and a sentence', async () => {
    const codes = await page.evaluate(async (good) => {
      const join = async (options) => {
        const room = new Room(options);
        const closed = new Promise((resolve) => { room.on('closed', ({ error }) => resolve(error?.code)); });
        const error = await room.join().then(() => null, (it) => it);
        return { code: error.code, same: error instanceof PlenumError && (await closed) === error.code, says: /[A-Z].{10,}\./.test(error.message), state: room.state };
      };
      return {
        noToken: await join({ room: 'sdk' }),
        malformed: await join({ token: 'two words' }),
        unavailable: await join({ token: () => Promise.reject(new Error('503 from the backend')) }),
        forged: await join({ token: 'eyJhbGciOiJIUzI1NiJ9.bm9ib2R5.c2lnbmF0dXJl' }),
        otherRoom: await join({ token: good, room: 'another' }),
        noAddress: await join({ token: good, url: 'http://' }),
        noScheme: await join({ token: good, url: 'ftp://localhost' }),
        nobodyThere: await join({ token: good, url: 'http://127.0.0.1:9' }),
      };
    }, token);
    const expected = {
      noToken: 'tokenMissing', unavailable: 'tokenUnavailable', malformed: 'tokenInvalid', forged: 'tokenInvalid', otherRoom: 'wrongRoom',
      noAddress: 'urlInvalid', noScheme: 'urlInvalid', nobodyThere: 'serverUnreachable',
    };
    for (const [name, code] of Object.entries(expected)) assert.deepEqual(codes[name], { code, same: true, says: true, state: 'closed' }, name);
    await nothingUncaught(page);
  });

  test('a token is replaced before it expires, by a function or by the app', async () => {
    const short = () => server.token('tokens', 'ada', ['--ttl', '2s']);
    const silent = server.token('tokens', 'ada', ['--no-publish']);
    const found = await page.evaluate(async ([first, second, plain]) => {
      const event = (room, name) => new Promise((resolve) => { room.once(name, resolve); });
      const asked = [];
      const room = await Room.join({ token: () => { asked.push(asked.length); return asked.length === 1 ? first : second; } });
      const [, changed] = await Promise.all([event(room, 'tokenExpiring'), event(room, 'grantsChanged')]);
      const found = { asked: asked.length, grants: room.grants.canPublish === changed.grants.canPublish && changed.grants.canPublish };
      await room.leave();

      const other = await Room.join({ token: plain });
      const warned = event(other, 'tokenExpiring');
      const early = await codeOf(other.refreshToken('forged.token.here'));
      await warned;
      const foreign = await codeOf(other.refreshToken(second.replace(/\.[^.]*$/, '.c2ln')));
      const renewed = await codeOf(other.refreshToken(second));
      const state = other.state;
      await other.leave();
      return { ...found, early, foreign, renewed, state, late: await codeOf(other.refreshToken(second)) };
    }, [short(), silent, short()]);
    assert.deepEqual(found, {
      asked: 2, grants: false, early: 'tokenInvalid', foreign: 'tokenInvalid', renewed: 'none', state: found.state, late: 'closed',
    });
    assert.ok(['connecting', 'connected'].includes(found.state), found.state);
    await nothingUncaught(page);
  });

  test('devices that are not there, not allowed or busy have codes', async () => {
    const codes = await page.evaluate(async () => {
      const { mediaDevices } = navigator;
      const fails = (name, call) => {
        mediaDevices.getUserMedia = mediaDevices.getDisplayMedia = () => Promise.reject(new DOMException('by the test', name));
        return codeOf(call());
      };
      const room = new Room({});
      return [
        await fails('NotAllowedError', () => openCamera()), await fails('NotFoundError', () => openCamera()),
        await fails('OverconstrainedError', () => openMicrophone({ deviceId: 'gone' })), await fails('NotReadableError', () => openCamera()),
        await fails('NotAllowedError', () => room.publishScreen()), await fails('NotFoundError', () => room.publishScreen()),
        await fails('InvalidStateError', () => room.publishScreen()),
      ];
    });
    assert.deepEqual(codes, ['permissionDenied', 'noCamera', 'noMicrophone', 'deviceBusy', 'permissionDenied', 'noScreen', 'permissionDenied']);
    await nothingUncaught(page);
  });

  test('joining can be aborted and left at any moment, and tracks that were to be published stop', async () => {
    const seen = await page.evaluate(async (good) => {
      const track = async () => ({ track: await openCamera(), own: true });
      const early = AbortSignal.abort();
      const entries = [track(), track()];
      const codes = [await codeOf(Room.join({ token: good, signal: early, publish: [entries[0]] }))];
      for (const wait of [0, 1, 5, 20]) {
        const controller = new AbortController();
        setTimeout(() => controller.abort(), wait);
        codes.push(await codeOf(Room.join({ token: () => new Promise((resolve) => { setTimeout(resolve, 30, good); }), signal: controller.signal, publish: wait ? [] : [entries[1]] })));
      }
      const left = new Room({ token: good });
      const joining = codeOf(left.join());
      await left.leave();
      codes.push(await joining);
      const late = new AbortController();
      const room = await Room.join({ token: good, signal: late.signal });
      late.abort();
      const states = [room.state];
      await room.leave();
      const tracks = await Promise.all(entries);
      await new Promise((resolve) => { setTimeout(resolve, 100); });
      return { codes, states, tracks: tracks.map(({ track: { readyState } }) => readyState) };
    }, token);
    assert.deepEqual(seen.codes, [...Array(5).fill('aborted'), 'closed']);
    assert.notEqual(seen.states[0], 'closed');
    assert.deepEqual(seen.tracks, ['ended', 'ended']);
    await nothingUncaught(page);
  });

  test('before joining and after leaving, calls reject and nothing stays open', async () => {
    const seen = await page.evaluate(async (good) => {
      const opened = [];
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wishes) => {
        const stream = await open(wishes);
        opened.push(...stream.getTracks());
        return stream;
      };
      const room = new Room({ token: good });
      const calls = () => Promise.all([room.publishCamera(), room.publishMicrophone(), room.sendData('hi'), room.explain()].map(codeOf));
      const before = await calls();
      await room.join();
      const events = [];
      room.on('closed', ({ error }) => events.push(error));
      const camera = await room.publishCamera();
      const slow = codeOf(room.publishCamera({ name: 'second' })); // still opening while leaving
      const leaving = [room.leave(), room.leave()];
      await Promise.all(leaving);
      await room.leave();
      const video = document.createElement('video');
      const after = [await slow, ...await calls(), await codeOf(camera.mute()), await codeOf(camera.replaceTrack(camera.track)), await codeOf(camera.switchDevice('x')), await codeOf(room.join())];
      room.attach(camera, video)();
      room.detach(video);
      camera.stop();
      const { remotes } = await room.getStats();
      return { before, after, events, remotes, shown: video.srcObject, live: opened.filter(({ readyState }) => readyState === 'live').length, opened: opened.length };
    }, token);
    assert.deepEqual(seen.before, Array(4).fill('notJoined'));
    assert.deepEqual(seen.after, [...Array(5).fill('closed'), 'none', 'closed', 'closed', 'alreadyJoined']);
    assert.deepEqual([seen.events, seen.remotes, seen.shown, seen.live], [[null], [], null, 0]);
    assert.ok(seen.opened >= 5);
    await nothingUncaught(page);
  });

  test('devices are listed, told when they change, and switched; muted ones with the next unmute', async () => {
    const seen = await page.evaluate(async (good) => {
      const room = await Room.join({ token: good });
      const microphone = await room.publishMicrophone();
      const camera = await room.publishCamera();
      const list = await listDevices();
      const told = new Promise((resolve) => { window.stopWatching = watchDevices(resolve); });
      navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
      const same = JSON.stringify(await told) === JSON.stringify(list);
      window.stopWatching();
      const deviceOf = ({ track }) => track.getSettings().deviceId;
      const [wanted] = list.microphones.filter(({ deviceId }) => deviceId !== deviceOf(microphone) && deviceId !== 'default');
      const old = microphone.track;
      await microphone.switchDevice(wanted.deviceId);
      const switched = deviceOf(microphone) === wanted.deviceId && old.readyState === 'ended' && microphone.track.readyState === 'live';
      const failed = [await codeOf(camera.switchDevice('gone')), camera.track.readyState];
      await camera.mute();
      await camera.switchDevice(list.cameras[0].deviceId);
      const dark = camera.track;
      await camera.unmute();
      const own = await room.publish((await openCamera()), { own: true, name: 'own' });
      const result = { list, same, switched, failed, dark, unmuted: deviceOf(camera) === list.cameras[0].deviceId, own: await codeOf(own.switchDevice('x')), speaker: await codeOf(room.setSpeaker('gone')) };
      await room.leave();
      return result;
    }, token);
    assert.ok(seen.list.cameras.length > 0 && seen.list.microphones.length > 1 && seen.list.microphones.every(({ label }) => label));
    assert.deepEqual([seen.same, seen.switched, seen.failed, seen.dark, seen.unmuted, seen.own, seen.speaker], [true, true, ['noCamera', 'live'], null, true, 'notPermitted', 'noSpeaker']);
    await nothingUncaught(page);
  });

  test('the browser’s button to end sharing ends both publications, for everybody', async () => {
    const viewer = await open();
    await viewer.evaluate(async (good) => {
      window.room = await Room.join({ token: good });
      window.gone = [];
      room.on('unpublished', ({ publication }) => window.gone.push(publication.source));
    }, server.token('sdk', 'bob'));
    const sources = await page.evaluate(async (good) => {
      const canvas = document.createElement('canvas');
      canvas.getContext('2d').fillRect(0, 0, 300, 150);
      const sound = new AudioContext().createMediaStreamDestination().stream.getAudioTracks();
      navigator.mediaDevices.getDisplayMedia = async () => new MediaStream([...canvas.captureStream(5).getVideoTracks(), ...sound]);
      const room = await Room.join({ token: good });
      const ended = [];
      room.on('localUnpublished', ({ publication }) => ended.push(publication.source));
      room.on('error', ({ code }) => ended.push(code));
      const { screen, screenAudio } = await room.publishScreen({ audio: true });
      const { track } = screenAudio;
      screen.track.dispatchEvent(new Event('ended')); // what the button does
      return [...ended.sort(), track.readyState, room.publications.length];
    }, token);
    assert.deepEqual(sources, ['screen', 'screenAudio', 'ended', 0]);
    await until('the viewer is told', async () => (await viewer.evaluate(() => window.gone.sort().join())) === 'screen,screenAudio');
    await nothingUncaught(page, viewer);
  });

  test('getStats tells the way, what is sent and what is received, since the last call', async () => {
    const viewer = await open();
    await page.evaluate(async (good) => {
      window.room = await Room.join({ token: good });
      await room.publishCamera();
      await room.publishMicrophone();
    }, token);
    await viewer.evaluate(async (good) => {
      const video = Object.assign(document.createElement('video'), { width: 640, height: 360 });
      document.body.prepend(video);
      const room = window.room = new Room({ token: good });
      const show = (publication) => publication.kind === 'video' && room.attach(publication, video);
      room.on('published', ({ publication }) => show(publication));
      await room.join();
      for (const participant of room.participants.values()) participant.publications.forEach(show);
    }, server.token('sdk', 'bob'));
    const stats = (it, right) => until('figures', async () => {
      const now = await it.evaluate(() => room.getStats());
      if (right(now)) return now;
      throw new Error(JSON.stringify(now));
    }, { every: 300 });
    const received = await stats(viewer, ({ remotes }) => remotes.length === 2 && remotes.every(({ bitrate, codec }) => bitrate > 1000 && codec) && remotes.some(({ width, fps }) => width >= 320 && fps > 5));
    const [sound, picture] = ['audio', 'video'].map((kind) => received.remotes.find((remote) => remote.kind === kind));
    assert.deepEqual([sound.source, picture.source, picture.codec, picture.loss, picture.freezes], ['microphone', 'camera', 'vp8', 0, 0]);
    assert.ok(picture.layer.spatial >= 0 && picture.bitrate < 5_000_000 && picture.jitter < 1000 && sound.concealed <= 1);
    const { connection } = received;
    assert.deepEqual([connection.localCandidate !== 'relay', connection.protocol, connection.relayProtocol], [true, 'udp', null]);
    assert.ok(connection.rtt < 1000 && connection.incoming > picture.bitrate / 2, JSON.stringify(connection));
    const sent = await stats(page, ({ publications }) => publications.some(({ encodings }) => encodings.some(({ bitrate, fps }) => bitrate > 1000 && fps > 5)));
    const camera = sent.publications.find(({ source }) => source === 'camera');
    assert.deepEqual(camera.encodings.map(({ rid }) => rid), ['q', 'h', 'f']);
    assert.ok(camera.encodings.every(({ limitedBy }) => ['none', 'cpu', 'bandwidth', 'other'].includes(limitedBy)));
    assert.ok(sent.connection.availableOutgoing > 10_000 && sent.connection.outgoing > 1000);
    // Without a second call in between there is nothing to compare with.
    const first = await viewer.evaluate(async () => {
      const { Stats } = await import('/sdk/stats.js');
      const { pc, slots } = room._connection;
      return new Stats().condense(await pc.getStats(), slots.all, []).remotes.map(({ bitrate, loss, freezes }) => [bitrate, loss, freezes]);
    });
    assert.deepEqual(first, [[null, null, null], [null, null, null]]);
    await nothingUncaught(page, viewer);
  });
});

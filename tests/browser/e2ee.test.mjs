// End-to-end encryption in Chromium: who has the passphrase sees and hears, the server forwards
// what it cannot read, and who has another passphrase, or none, sees nothing and is told why.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { colourMatches, launch, Person } from './lib/browser.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/until.mjs';

const RED = [200, 40, 40];
const BLUE = [40, 60, 200];
const GREEN = [40, 160, 60];
const SECRET = 'correct horse battery staple';
const CHANGED = 'another horse';
/** Bits a byte: what compresses or has structure has less. */
const RANDOM_ENTROPY = 7.5;

/** Runs in the page before its scripts: keeps the encoded frames as they reach it, and passes them on. */
function tap() {
  const Native = RTCPeerConnection;
  window.captured = { audio: [], video: [] };
  const code = `onrtctransform = ({ transformer: { readable, writable, options } }) => readable.pipeThrough(new TransformStream({
    transform(frame, controller) { postMessage({ kind: options.kind, bytes: new Uint8Array(frame.data) }); controller.enqueue(frame); },
  })).pipeTo(writable);`;
  const worker = new Worker(URL.createObjectURL(new Blob([code])));
  worker.onmessage = ({ data: { kind, bytes } }) => { if (window.captured[kind].length < 120) window.captured[kind].push(Array.from(bytes)); };
  window.RTCPeerConnection = class extends Native {
    addTransceiver(...options) {
      const transceiver = super.addTransceiver(...options);
      const { kind } = transceiver.receiver.track;
      if (transceiver.direction === 'recvonly') transceiver.receiver.transform = new RTCRtpScriptTransform(worker, { kind });
      return transceiver;
    }
  };
}

/** Runs in the page: notes what the room says about decryption, and the messages. */
function listen() {
  window.heard = { decryption: [], data: [] };
  const room = window.plenum.room;
  room.on('decryptionChanged', ({ participant, publication, ok }) => window.heard.decryption.push([participant.name, publication?.kind ?? null, ok]));
  room.on('data', ({ topic, payload, encrypted }) => window.heard.data.push([topic, payload, encrypted]));
}

/** Bits of information a byte. */
function entropy(frames, skip) {
  const counts = new Array(256).fill(0);
  let total = 0;
  for (const frame of frames) for (const byte of frame.slice(skip)) { counts[byte] += 1; total += 1; }
  return -counts.reduce((sum, count) => (count ? sum + (count / total) * Math.log2(count / total) : sum), 0);
}

const hash = (passphrase) => `#${new URLSearchParams({ e2ee: passphrase })}`;

/** Runs in the page: decodes a VP8 keyframe; its average colour, or what the decoder says. */
async function decode(bytes) {
  try {
    const picture = await new Promise((resolve, reject) => {
      const decoder = new VideoDecoder({ output: resolve, error: reject });
      decoder.configure({ codec: 'vp8' });
      decoder.decode(new EncodedVideoChunk({ type: 'key', timestamp: 0, data: new Uint8Array(bytes) }));
      decoder.flush().then(() => reject(new Error('no picture')), reject);
    });
    const context = new OffscreenCanvas(8, 8).getContext('2d');
    context.drawImage(picture, 0, 0, picture.displayWidth / 4, picture.displayHeight / 4, 0, 0, 8, 8);
    picture.close();
    const { data } = context.getImageData(0, 0, 8, 8);
    return [0, 1, 2].map((channel) => data.filter((_, index) => index % 4 === channel).reduce((sum, value) => sum + value, 0) / 64);
  } catch (error) {
    return String(error);
  }
}

/** Runs in a page of another origin: one room publishes, one watches; resolves with the codec once the second has seen something. */
async function callFrom({ url, tokens }) {
  const { Room } = await import(`${url}/plenum.js`);
  const join = (token) => Room.join({ url, token, e2ee: { passphrase: 'from afar' } });
  const [ada, bob] = await Promise.all(tokens.map(join));
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 });
  const context = canvas.getContext('2d');
  setInterval(() => { context.fillStyle = `rgb(200 40 ${performance.now() % 40})`; context.fillRect(0, 0, 320, 180); }, 60);
  const video = Object.assign(document.createElement('video'), { width: 320, height: 180, muted: true });
  document.body.append(video);
  bob.on('published', ({ publication }) => bob.attach(publication, video));
  const { codec } = await new Promise((resolve) => { bob.on('published', ({ publication }) => resolve(publication)); ada.publish(canvas.captureStream(15).getVideoTracks()[0], { codec: 'vp9' }); });
  while (video.getVideoPlaybackQuality().totalVideoFrames < 5) await new Promise((resolve) => setTimeout(resolve, 50));
  await Promise.all([ada.leave(), bob.leave()]);
  return codec;
}

describe('end-to-end encryption', { timeout: 180_000 }, () => {
  let browser;
  let server;
  let ada;
  let bob;
  let cleo;
  const people = [];

  const open = async (name, { media, secret = '', ...options }) => {
    const person = await Person.open(browser, server, name, { room: 'secret', media, hash: secret && hash(secret), ...options });
    people.push(person);
    return person;
  };
  const enter = async (person) => {
    await person.join();
    await person.page.evaluate(listen);
  };
  const heard = (person) => person.page.evaluate(() => window.heard);
  const note = (person, name) => person.page.textContent(`.tile[aria-label="${name}"] .note`);
  const locked = (person, name) => person.page.isVisible(`.tile[aria-label="${name}"] .lock`);
  const tells = (person, text, name = 'Ada') => until(`${person.name} reads: ${text}`, async () => (await note(person, name)).includes(text) || Promise.reject(new Error(await note(person, name))));
  /** Nothing of the person is seen or heard, for as long as a picture and a word would take. */
  const isDark = async (person, name, tone = null) => {
    const sound = await person.sound(name); // listens for more than a second; with a tone, others may have taken the slot meanwhile
    const silent = (sound?.level ?? 0) < 0.003 || (tone !== null && Math.abs(sound.frequency - tone) > 40);
    assert.ok(silent, `${person.name} hears ${name}: ${JSON.stringify(sound)}`);
    const { framesDecoded, colour } = await person.picture(name);
    assert.equal(framesDecoded, 0, `${person.name} decoded a frame of ${name}: ${colour}`);
  };

  before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
    ada = await open('Ada', { secret: SECRET, media: { colour: RED, tone: 440, width: 640, height: 360, noise: 6 } });
    bob = await open('Bob', { secret: SECRET, media: { colour: BLUE, tone: 620 } });
    // A browser that has the older interface alone.
    cleo = await open('Cleo', { initScripts: [[() => { delete window.RTCRtpScriptTransform; }]], media: { colour: GREEN, tone: 880 } });
    await cleo.page.fill('#passphrase', SECRET);
    await Promise.all([ada, bob, cleo].map(enter));
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('three people with the passphrase see and hear each other', async () => {
    await Promise.all([
      bob.sees('Ada', RED), cleo.sees('Ada', RED), ada.sees('Bob', BLUE), cleo.sees('Bob', BLUE), ada.sees('Cleo', GREEN), bob.sees('Cleo', GREEN),
    ]);
    await Promise.all([bob.hears('Ada', 440), cleo.hears('Bob', 620), ada.hears('Cleo', 880)]);
    for (const [who, name] of [[bob, 'Ada'], [ada, 'Cleo'], [cleo, 'Bob']]) assert.ok(await locked(who, name), `${who.name} sees the lock of ${name}`);
    assert.deepEqual((await heard(bob)).decryption, []);
    await bob.screenshot('e2ee-call');
  });

  test('the passphrase is in the link to others, and nowhere that a server is told of', async () => {
    const { link, url, sent } = await cleo.page.evaluate(async () => {
      await navigator.clipboard?.writeText('').catch(() => {});
      const links = [];
      navigator.clipboard.writeText = (text) => { links.push(text); return Promise.resolve(); };
      document.querySelector('#copy-link').click();
      return { link: links[0], url: location.href, sent: performance.getEntriesByType('resource').map(({ name }) => name) };
    });
    for (const address of [link, url]) assert.equal(new URLSearchParams(new URL(address).hash.slice(1)).get('e2ee'), SECRET);
    for (const name of sent) assert.doesNotMatch(decodeURIComponent(name), /horse/);
  });

  test('layers are switched although the server cannot read the pictures', async () => {
    const shows = (width, what) => until(`Bob sees Ada ${what}`, async () => {
      const picture = await bob.picture('Ada');
      if (picture.playing && picture.width === width && colourMatches(picture.colour, RED)) return picture;
      throw new Error(JSON.stringify(picture));
    });
    await bob.page.setViewportSize({ width: 1600, height: 1000 });
    await bob.page.dblclick('.tile[aria-label="Ada"]');
    const large = await shows(640, 'large');
    await bob.page.dblclick('.tile[aria-label="Ada"]');
    await bob.page.setViewportSize({ width: 480, height: 400 });
    const small = await shows(320, 'small');
    assert.ok(large.layer.spatial > small.layer.spatial, JSON.stringify([large.layer, small.layer]));
    await bob.page.setViewportSize({ width: 960, height: 640 });
    assert.deepEqual((await heard(bob)).decryption, []);
  });

  test('messages are encrypted, in order, with their topics', async () => {
    await ada.page.evaluate(async () => { await Promise.all(['one', 'two', 'three'].map((word) => window.plenum.room.sendData(word, { topic: 'chat' }))); });
    await ada.page.evaluate(() => window.plenum.room.sendData(new Uint8Array([1, 2]), { topic: 'bytes', reliable: false, to: [...window.plenum.room.participants.values()].filter(({ name }) => name === 'Bob').map(({ identity }) => identity) }));
    await until('Bob has all', async () => (await heard(bob)).data.length === 4);
    const { data } = await heard(bob);
    const words = data.filter(([topic]) => topic === 'chat');
    assert.deepEqual(words, [['chat', 'one', true], ['chat', 'two', true], ['chat', 'three', true]]);
    assert.deepEqual(data.find(([topic]) => topic === 'bytes')?.slice(2), [true]);
    assert.equal((await heard(cleo)).data.length, 3);
    // What comes a second time from whoever is on the way is not told again.
    await bob.page.evaluate(() => {
      const { room } = window.plenum;
      const receive = room._onData.bind(room);
      room._onData = (message, connection) => { receive(message, connection); receive(message, connection); };
    });
    await ada.page.evaluate(() => window.plenum.room.sendData('once', { topic: 'chat' }));
    await ada.page.evaluate(() => window.plenum.room.sendData('last', { topic: 'chat' }));
    await until('Bob has the last', async () => (await heard(bob)).data.some(([, payload]) => payload === 'last'));
    assert.equal((await heard(bob)).data.filter(([, payload]) => payload === 'once').length, 1);
  });

  test('who taps the server gets bytes that only the passphrase makes pictures of', async () => {
    const eve = await open('Eve', { flags: { camera: '0', mic: '0' }, initScripts: [[tap]] });
    await enter(eve);
    await tells(eve, 'Encrypted');
    assert.equal(await locked(eve, 'Ada'), false);
    await eve.screenshot('e2ee-no-passphrase');
    await isDark(eve, 'Ada');
    // What her page would not do: she asks for the pictures all the same.
    await eve.page.evaluate(() => {
      const { room } = window.plenum;
      room._encryption.mayRead = () => true;
      window.plenum.room.sendData('hello from outside', { topic: 'chat' });
      for (const participant of room.participants.values()) {
        const video = Object.assign(document.createElement('video'), { width: 640, height: 360, muted: true });
        document.body.append(video);
        if (participant.publication('camera')) room.attach(participant.publication('camera'), video);
      }
    });
    await ada.page.evaluate(() => window.plenum.room.sendData('between us', { topic: 'chat' }));
    const isKeyframe = (frame) => frame.length > 100 && !(frame[0] & 1);
    await until('Eve has caught pictures and sound', async () => {
      const [video, audio] = await eve.page.evaluate(() => [window.captured.video.length, window.captured.audio.length]);
      if (video > 60 && audio > 60) return true;
      throw new Error(JSON.stringify({ video, audio }));
    });
    const captured = await eve.page.evaluate(() => window.captured);

    const { FrameDecryptor, KeyRing } = await import('../../crates/signaling/web/sdk/e2ee-frames.js');
    const { deriveKeys } = await import('../../crates/signaling/web/sdk/e2ee-keys.js');
    const ring = new KeyRing();
    ring.add(await deriveKeys(SECRET, 'secret'));
    const seen = [];
    for (const [kind, plain] of [['video', 10], ['audio', 1]]) {
      for (const frame of captured[kind]) {
        const opened = await new FrameDecryptor(ring, kind).decrypt(Uint8Array.from(frame));
        assert.ok(opened, `a ${kind} frame of ${frame.length} bytes was not encrypted`);
        const body = opened.subarray(plain, plain + 16);
        if (body.length === 16) assert.ok(!Buffer.from(frame).includes(body), `${kind} is plain`);
      }
      seen.push(`${kind} ${entropy(captured[kind], plain).toFixed(3)}`);
      assert.ok(entropy(captured[kind], plain) > RANDOM_ENTROPY);
    }
    console.log(`bits a byte of what Eve caught: ${seen.join(', ')}`);
    // Whose picture it is follows from what it shows: one of the three that are painted.
    const keyframe = captured.video.find(isKeyframe);
    const opened = await new FrameDecryptor(ring, 'video').decrypt(Uint8Array.from(keyframe));
    const painted = (colour) => Array.isArray(colour) && [RED, BLUE, GREEN].some((one) => colourMatches(colour, one));
    const [asCaught, decrypted] = await Promise.all([keyframe, Array.from(opened)].map((bytes) => eve.page.evaluate(decode, bytes)));
    assert.ok(!painted(asCaught), `Eve sees ${asCaught}`);
    assert.ok(painted(decrypted), `with the passphrase it would be ${decrypted}`);
    const { data, decryption } = await heard(eve);
    assert.ok(!data.some(([, payload]) => String(payload).includes('between us')), JSON.stringify(data));
    assert.deepEqual(decryption.filter(([, kind]) => kind === null), [['Ada', null, false]]);
    await until('Bob is told that Eve wrote without encryption', async () => (await bob.page.textContent('#chat-log')).includes('Eve wrote without encryption: not shown.'));
    await eve.close();
  });

  test('the SDK encrypts where it is imported from another origin, with VP8 whatever was asked for', async () => {
    const pages = http.createServer((request, response) => response.setHeader('content-type', 'text/html').end('<!doctype html>'));
    await new Promise((resolve) => { pages.listen(0, '127.0.0.1', resolve); });
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${pages.address().port}/`);
    const tokens = ['ada', 'bob'].map((identity) => server.token('afar', identity));
    assert.equal(await page.evaluate(callFrom, { url: server.url, tokens }), 'vp8');
    await page.close();
    pages.close();
  });

  test('another passphrase, and none, are seen and heard by nobody, and everybody is told', async () => {
    const mallory = await open('Mallory', { secret: 'guess', media: { colour: GREEN, tone: 330 } });
    const paul = await open('Paul', { media: { colour: BLUE, tone: 550 } });
    await Promise.all([enter(mallory), enter(paul)]);
    await Promise.all([
      tells(mallory, 'with another passphrase?'), tells(paul, 'join with the passphrase'),
      tells(ada, 'another passphrase?', 'Mallory'), tells(ada, 'Not encrypted', 'Paul'),
    ]);
    await mallory.screenshot('e2ee-wrong-passphrase');
    await Promise.all([isDark(mallory, 'Ada'), isDark(paul, 'Ada'), isDark(ada, 'Mallory', 330), isDark(ada, 'Paul', 550)]);
    const told = (await heard(ada)).decryption.filter(([, kind]) => kind === 'video').map(([name, , ok]) => `${name} ${ok}`).sort();
    assert.deepEqual(told, ['Mallory false', 'Paul false']);
    await Promise.all([mallory.close(), paul.close()]);
  });

  test('the passphrase is changed during the call', async () => {
    await ada.page.click('#change-passphrase');
    await ada.page.fill('#new-passphrase', CHANGED);
    await ada.page.click('[data-action="change"]');
    const aboutAda = async () => (await heard(bob)).decryption.filter(([name, kind]) => name === 'Ada' && kind === 'video').map(([, , ok]) => ok);
    await until('Bob hears that Ada is unreadable', async () => (await aboutAda()).includes(false)); // her sound may be told first
    await tells(bob, 'another passphrase?');
    await bob.page.evaluate((passphrase) => window.plenum.room.setPassphrase(passphrase), CHANGED);
    await Promise.all([bob.sees('Ada', RED), ada.sees('Bob', BLUE), bob.hears('Ada', 440)]);
    assert.deepEqual(await aboutAda(), [false, true]);
    const dora = await open('Dora', { secret: CHANGED, flags: { camera: '0', mic: '0' } });
    await enter(dora);
    await Promise.all([dora.sees('Ada', RED), dora.sees('Bob', BLUE)]);
    // Who loses the connection comes back with the passphrase of now.
    await bob.page.evaluate(async () => {
      const { PlenumError } = await import('/plenum.js');
      window.plenum.room._connection.fail(new PlenumError('connectionLost'));
    });
    await until('Bob is back', () => bob.page.evaluate(() => window.plenum.room.state === 'connected'));
    await Promise.all([dora.sees('Bob', BLUE), bob.sees('Ada', RED), bob.hears('Ada', 440)]);
    assert.deepEqual(people.flatMap(({ errors }) => errors), []);
  });
});

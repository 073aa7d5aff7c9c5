// The frame cipher of end-to-end encryption, by itself.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FrameDecryptor, FrameEncryptor, KeyRing, OVERHEAD_BYTES, originOf, plainBytes } from '../../crates/signaling/web/sdk/e2ee-frames.js';
import { ReplayGuard } from '../../crates/signaling/web/sdk/e2ee-replay.js';
import { deriveKeys } from '../../crates/signaling/web/sdk/e2ee-keys.js';

const [right, wrong, elsewhere] = await Promise.all([deriveKeys('correct horse', 'tea'), deriveKeys('battery staple', 'tea'), deriveKeys('correct horse', 'coffee')]);

function ringOf(...entries) {
  const ring = new KeyRing();
  for (const entry of entries) ring.add(entry);
  return ring;
}

/** A frame of bytes that count up, behind a first byte. */
const frame = (first, length) => Uint8Array.from({ length }, (_, index) => (index ? index : first));
const KEY = frame(0x10, 200);
const DELTA = frame(0x11, 200);
const hex = (bytes) => Buffer.from(bytes).toString('hex');

describe('the frame cipher', () => {
  for (const [what, use, whole, plain] of [
    ['a VP8 keyframe', 'video', KEY, 10], ['another VP8 frame', 'video', DELTA, 3], ['sound', 'audio', frame(0x78, 80), 1],
    ['a message', 'data', frame(1, 40), 0], ['a frame of one byte', 'audio', frame(0x78, 1), 1], ['nothing', 'video', frame(0, 0), 0],
    ['a keyframe that is cut', 'video', frame(0x10, 6), 6],
  ]) {
    test(`${what} comes back, and begins with ${plain} plain bytes`, async () => {
      const ring = ringOf(right);
      const sealed = await new FrameEncryptor(ring, use).encrypt(whole);
      assert.equal(sealed.length, whole.length + OVERHEAD_BYTES);
      assert.equal(plainBytes(use, whole), plain);
      assert.deepEqual(sealed.subarray(0, plain), whole.subarray(0, plain));
      if (whole.length > plain + 8) assert.ok(!hex(sealed).includes(hex(whole.subarray(plain, plain + 8))));
      assert.deepEqual(await new FrameDecryptor(ring, use).decrypt(sealed), whole);
    });
  }

  test('a change of any byte is noticed', async () => {
    const ring = ringOf(right);
    const decryptor = new FrameDecryptor(ring, 'video');
    const sealed = await new FrameEncryptor(ring, 'video').encrypt(KEY);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = sealed.slice();
      changed[at] ^= 1;
      assert.equal(await decryptor.decrypt(changed), null, `byte ${at}`);
    }
    for (let length = 0; length < sealed.length; length += 1) assert.equal(await decryptor.decrypt(sealed.subarray(0, length)), null, `cut at ${length}`);
    assert.ok(await decryptor.decrypt(sealed));
  });

  test('another passphrase, another room, another use and plain frames open nothing', async () => {
    const sealed = await new FrameEncryptor(ringOf(right), 'video').encrypt(KEY);
    for (const entry of [wrong, elsewhere, { ...wrong, id: right.id }]) assert.equal(await new FrameDecryptor(ringOf(entry), 'video').decrypt(sealed), null);
    assert.equal(await new FrameDecryptor(ringOf(right), 'audio').decrypt(sealed), null);
    assert.equal(await new FrameDecryptor(ringOf(right), 'data').decrypt(sealed), null);
    assert.equal(await new FrameDecryptor(ringOf(right), 'video').decrypt(KEY), null);
    assert.equal(await new FrameDecryptor(new KeyRing(), 'video').decrypt(sealed), null);
  });

  test('nothing is sent without a key', async () => {
    assert.equal(await new FrameEncryptor(new KeyRing(), 'video').encrypt(KEY), null);
  });

  test('no IV comes twice, not even when the counter ends or two encoders share a key', async () => {
    const ring = ringOf(right);
    const encryptors = [new FrameEncryptor(ring, 'video'), new FrameEncryptor(ring, 'video'), new FrameEncryptor(ring, 'video', 2 ** 32 - 100)];
    const ivs = new Set();
    for (let i = 0; i < 1000; i += 1) {
      const sealed = await Promise.all(encryptors.map((encryptor) => encryptor.encrypt(DELTA)));
      for (const bytes of sealed) ivs.add(hex(bytes.subarray(-14, -2)));
    }
    assert.equal(ivs.size, 3000);
    assert.equal(new Set([...ivs].map((iv) => iv.slice(0, 16))).size, 4, 'the third begins anew once');
  });

  test('a change of the passphrase: the newest encrypts, old frames are readable until they are forgotten', async () => {
    const ring = ringOf(wrong);
    const old = await new FrameEncryptor(ring, 'audio').encrypt(DELTA);
    ring.add(right);
    const now = await new FrameEncryptor(ring, 'audio').encrypt(DELTA);
    const decryptor = new FrameDecryptor(ring, 'audio');
    assert.deepEqual([await decryptor.decrypt(old), await decryptor.decrypt(now)], [DELTA, DELTA]);
    assert.deepEqual(await new FrameDecryptor(ringOf(right), 'audio').decrypt(now), DELTA, 'who comes later has only the new one');
    ring.dropOld();
    assert.deepEqual([await decryptor.decrypt(old), await decryptor.decrypt(now)], [null, DELTA]);
  });

  test('keys of the same passphrase and room are the same, and stay in the browser', async () => {
    const again = await deriveKeys('correct horse', 'tea');
    assert.deepEqual(again.id, right.id);
    const sealed = await new FrameEncryptor(ringOf(right), 'data').encrypt(KEY);
    assert.deepEqual(await new FrameDecryptor(ringOf(again), 'data').decrypt(sealed), KEY);
    for (const key of Object.values(right.keys)) await assert.rejects(crypto.subtle.exportKey('raw', key));
  });

  test('an encrypted frame tells where it comes from', async () => {
    const encryptor = new FrameEncryptor(ringOf(right), 'data', 7);
    const [first, second] = [originOf(await encryptor.encrypt(KEY)), originOf(await encryptor.encrypt(KEY))];
    assert.deepEqual([first.counter, second.counter, first.prefix], [7, 8, second.prefix]);
  });

  test('messages that come again are known, those that overtake each other are not taken for such', () => {
    const guard = new ReplayGuard();
    const came = (...counters) => counters.map((counter) => guard.accept('a', counter));
    assert.deepEqual(came(0, 1, 3, 2, 1, 3, 0), [true, true, true, true, false, false, false]);
    assert.ok(guard.accept('b', 1), 'another sender');
    assert.deepEqual(came(1000, 744, 745, 745, 4), [true, false, true, false, false], 'what is too old counts as known');
    for (let counter = 1001; counter < 9000; counter += 1) assert.ok(guard.accept('a', counter));
    assert.deepEqual(came(8999, 8800, 9000), [false, false, true]);
  });
});

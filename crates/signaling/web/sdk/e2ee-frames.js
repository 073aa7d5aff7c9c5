// @ts-check
// Encrypts and decrypts frames: AES-128-GCM (NIST SP 800-38D) over a frame as its encoder made it.
//
//   plain bytes | ciphertext | tag (16) | prefix (8) | counter (4) | key id (2)
//
// What the server and the packetizers of the browser read stays plain, and is authenticated. Prefix
// and counter are the IV. The prefix is random for each encoder, because all participants share the
// key; the counter never repeats under one prefix.

import { ID_BYTES } from './e2ee-keys.js';

const TAG_BYTES = 16;
const PREFIX_BYTES = 8;
const IV_BYTES = PREFIX_BYTES + 4;
const TRAILER_BYTES = IV_BYTES + ID_BYTES;
const COUNTER_END = 2 ** 32;

/** What encryption adds to a frame, in bytes. */
export const OVERHEAD_BYTES = TAG_BYTES + TRAILER_BYTES;

/** Frame header and picture size of a VP8 keyframe; frame header of another frame (RFC 6386 §9.1). */
const VP8_KEYFRAME_BYTES = 10;
const VP8_FRAME_BYTES = 3;
/** Configuration, channels and number of frames of an Opus packet (RFC 6716 §3.1). */
const OPUS_BYTES = 1;

/** How many bytes of a frame stay plain; the plain bytes themselves tell. @param {string} use @param {Uint8Array} frame */
export function plainBytes(use, frame) {
  if (use === 'data' || !frame.length) return 0;
  const wanted = use === 'audio' ? OPUS_BYTES : frame[0] & 1 ? VP8_FRAME_BYTES : VP8_KEYFRAME_BYTES;
  return Math.min(wanted, frame.length);
}

/** What makes an encrypted frame different from all others: who encrypted it, and its number. @param {Uint8Array} frame */
export function originOf(frame) {
  const iv = frame.subarray(frame.length - TRAILER_BYTES, frame.length - ID_BYTES);
  const counter = new DataView(iv.buffer, iv.byteOffset).getUint32(PREFIX_BYTES);
  return { prefix: iv.subarray(0, PREFIX_BYTES).join(), counter };
}

/** The keys in force: the newest encrypts, the ones before still decrypt for a while. */
export class KeyRing {
  /** Newest first. */
  #entries = [];

  get newest() { return this.#entries[0] ?? null; }

  /** @param {{ id: Uint8Array, keys: Record<string, CryptoKey> }} entry */
  add(entry) { this.#entries.unshift(entry); }

  /** Forgets all but the newest. */
  dropOld() { this.#entries.length = Math.min(this.#entries.length, 1); }

  /** @param {Uint8Array} id */
  named(id) { return this.#entries.filter((entry) => entry.id.every((byte, index) => byte === id[index])); }
}

/** What is authenticated beside the ciphertext. */
function context(plain, id) {
  const bytes = new Uint8Array(plain.length + ID_BYTES);
  bytes.set(plain);
  bytes.set(id, plain.length);
  return bytes;
}

const gcm = (iv, additionalData) => ({ name: 'AES-GCM', iv, additionalData, tagLength: TAG_BYTES * 8 });

/** Encrypts what one encoder makes. */
export class FrameEncryptor {
  #ring;
  #use;
  #prefix = new Uint8Array(0);
  #counter = COUNTER_END;

  /** `counter` is where it begins: tests end it sooner. @param {KeyRing} ring @param {string} use */
  constructor(ring, use, counter = 0) {
    this.#ring = ring;
    this.#use = use;
    this.#renew(counter);
  }

  #renew(counter) {
    this.#prefix = crypto.getRandomValues(new Uint8Array(PREFIX_BYTES));
    this.#counter = counter;
  }

  #nextIv() {
    if (this.#counter >= COUNTER_END) this.#renew(0);
    const iv = new Uint8Array(IV_BYTES);
    iv.set(this.#prefix);
    new DataView(iv.buffer).setUint32(PREFIX_BYTES, this.#counter);
    this.#counter += 1;
    return iv;
  }

  /** The frame to send; null while there is no key. @param {Uint8Array} frame */
  async encrypt(frame) {
    const entry = this.#ring.newest;
    if (!entry) return null;
    const iv = this.#nextIv();
    const plain = frame.subarray(0, plainBytes(this.#use, frame));
    const sealed = await crypto.subtle.encrypt(gcm(iv, context(plain, entry.id)), entry.keys[this.#use], frame.subarray(plain.length));
    const out = new Uint8Array(frame.length + OVERHEAD_BYTES);
    out.set(plain);
    out.set(new Uint8Array(sealed), plain.length);
    out.set(iv, out.length - TRAILER_BYTES);
    out.set(entry.id, out.length - ID_BYTES);
    return out;
  }
}

/** Decrypts what anybody encrypted. */
export class FrameDecryptor {
  #ring;
  #use;

  /** @param {KeyRing} ring @param {string} use */
  constructor(ring, use) {
    this.#ring = ring;
    this.#use = use;
  }

  /** The frame as it was encoded; null if it is plain, of another key, or was changed. @param {Uint8Array} frame */
  async decrypt(frame) {
    if (frame.length < OVERHEAD_BYTES) return null;
    const trailer = frame.length - TRAILER_BYTES;
    const plain = frame.subarray(0, plainBytes(this.#use, frame.subarray(0, trailer - TAG_BYTES)));
    const iv = frame.slice(trailer, trailer + IV_BYTES);
    const id = frame.subarray(frame.length - ID_BYTES);
    for (const entry of this.#ring.named(id)) {
      try {
        const opened = new Uint8Array(await crypto.subtle.decrypt(gcm(iv, context(plain, id)), entry.keys[this.#use], frame.subarray(plain.length, trailer)));
        const out = new Uint8Array(plain.length + opened.length);
        out.set(plain);
        out.set(opened, plain.length);
        return out;
      } catch { /* Another key with this id, or a changed frame. */ }
    }
    return null;
  }
}

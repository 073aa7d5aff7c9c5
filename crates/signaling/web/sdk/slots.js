// @ts-check
// The receive-only m-lines and what they show.

import { acceptDependencyDescriptors, preferCodecs } from './codecs.js';
import { PlenumError } from './errors.js';

/** Audio slots; more lets more people be heard at once. */
const AUDIO_SLOTS = 3;
/** Video slots are added in steps of this; more costs SDP size, fewer costs negotiations. */
const VIDEO_SLOT_STEP = 4;
/** Size changes of elements are reported at most this often, in ms. */
const SIZE_REPORT_MS = 100;

/** One receive-only m-line. */
class Slot {
  constructor(kind, transceiver, encryption) {
    this.kind = kind;
    this.transceiver = transceiver;
    this.track = transceiver.receiver.track;
    this.policy = kind === 'audio' ? 'speaker' : 'off';
    /** @type {import('./remote.js').RemotePublication|null} */ this.wanted = null;
    this.viewport = null;
    this.announced = false;
    this.releasedAt = 0; // 0: never used, so no old picture can appear in it
    this.binding = { publication: null, participant: null, layer: null, reason: 'off' };
    this.told = null; // the last message about it
    this.decryption = encryption.decrypt(transceiver.receiver, kind, (ok) => {
      if (this.binding.publication) encryption.onReadable(this.binding.publication, ok);
    });
  }

  get mid() { return this.transceiver.mid; }

  describe() {
    const { mid, kind, policy, wanted, viewport } = this;
    return {
      mid, kind, policy,
      ...(wanted ? { publication: wanted.id, priority: wanted.source === 'screen' ? 2 : 1 } : {}),
      ...(wanted && viewport ? viewport : {}),
    };
  }
}

/** The slots of one connection and what they are wished to show. */
export class SlotPool {
  #slots = [];
  #dirty = new Set();
  #timer = null;

  constructor(connection) {
    this.connection = connection;
    this.#grow('audio', AUDIO_SLOTS);
    this.#grow('video', VIDEO_SLOT_STEP);
  }

  #grow(kind, count) {
    const { _encryption: encryption } = this.connection.room;
    for (let i = 0; i < count; i += 1) {
      const transceiver = this.connection.pc.addTransceiver(kind, { direction: 'recvonly' });
      preferCodecs(transceiver, RTCRtpReceiver, kind, kind === 'audio' ? 'opus' : 'vp8', encryption.enabled);
      if (kind === 'video') acceptDependencyDescriptors(transceiver);
      this.#slots.push(new Slot(kind, transceiver, encryption));
    }
  }

  get all() { return this.#slots; }

  byMid(mid) { return this.#slots.find((slot) => slot.mid === mid); }

  of(publication) { return this.#slots.find((slot) => slot.wanted === publication); }

  /** Gives the publication a slot, if it has none, and reports its size. */
  show(publication) {
    if (!this.connection.room._encryption.mayRead(publication)) return this.release(publication);
    let slot = this.of(publication) ?? this.#free();
    if (!slot) {
      const limit = this.connection.limits?.slots ?? Infinity;
      if (this.#slots.length + VIDEO_SLOT_STEP > limit) throw new PlenumError('tooManySlots', 'No more pictures can be shown at once. Detach one first.');
      this.#grow('video', VIDEO_SLOT_STEP);
      this.connection.negotiate();
      slot = this.#free();
    }
    const viewport = publication._viewport();
    if (slot.wanted === publication) {
      if (slot.viewport?.width === viewport.width && slot.viewport?.height === viewport.height) return;
      slot.viewport = viewport;
      return this.#flushSoon(slot, SIZE_REPORT_MS);
    }
    Object.assign(slot, { wanted: publication, policy: 'pinned', viewport });
    if (!slot.releasedAt) publication._show(slot.track);
    this.#flushSoon(slot, 0);
  }

  /** Takes the slot away from a publication. */
  release(publication) {
    const slot = this.of(publication);
    publication._show(null);
    if (!slot) return;
    Object.assign(slot, { wanted: null, policy: 'off', viewport: null, releasedAt: performance.now() });
    this.#flushSoon(slot, 0);
  }

  #free() {
    return this.#slots.filter((slot) => slot.kind === 'video' && !slot.wanted).sort((a, b) => a.releasedAt - b.releasedAt)[0];
  }

  close() { for (const slot of this.#slots) slot.decryption?.close(); }

  /** Metadata for an offer; from now on changes are sent as messages. */
  describe() {
    const known = this.#slots.filter((slot) => slot.mid !== null);
    for (const slot of known) slot.announced = true;
    return known.map((slot) => slot.describe());
  }

  /** The server has refused the newest slots. */
  dropUnannounced() {
    const gone = this.#slots.filter((slot) => !slot.transceiver.currentDirection);
    this.#slots = this.#slots.filter((slot) => !gone.includes(slot));
    for (const slot of gone) {
      slot.wanted?._show(null);
      slot.decryption?.close();
      try { slot.transceiver.stop(); } catch { /* Already stopped. */ }
    }
  }

  #flushSoon(slot, delay) {
    this.#dirty.add(slot);
    if (!delay) queueMicrotask(() => this.#flush());
    else this.#timer ??= setTimeout(() => this.#flush(), delay);
  }

  #flush() {
    clearTimeout(this.#timer);
    this.#timer = null;
    const slots = [...this.#dirty].filter((slot) => slot.announced).map((slot) => slot.describe());
    this.#dirty.clear();
    if (slots.length) this.connection.send({ type: 'slots', slots });
  }
}

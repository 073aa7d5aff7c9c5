// @ts-check
// Data messages of a room. If it is encrypted, so are they, with their topics: what travels is
//
//   kind (0 binary, 1 text) | topic length | topic | payload
//
// encrypted, under a topic that says so.

import { bytes, write } from './data.js';
import { originOf } from './e2ee-frames.js';
import { ReplayGuard } from './e2ee-replay.js';
import { PlenumError } from './errors.js';

const SEALED_TOPIC = 'plenum.e2ee';
const TEXT = 1;
const TOPIC_MAX = 255;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function pack(payload, topic) {
  const text = typeof payload === 'string';
  const body = text ? encoder.encode(payload) : bytes(payload);
  const label = encoder.encode(topic);
  if (label.length > TOPIC_MAX) throw new PlenumError('tooLarge', `Choose a topic of at most ${TOPIC_MAX} bytes.`);
  const packed = new Uint8Array(2 + label.length + body.length);
  packed.set([text ? TEXT : 0, label.length]);
  packed.set(label, 2);
  packed.set(body, 2 + label.length);
  return packed;
}

function unpack(packed) {
  const end = 2 + packed[1];
  const payload = packed.slice(end);
  return { topic: decoder.decode(packed.subarray(2, end)), payload: packed[0] === TEXT ? decoder.decode(payload) : payload };
}

/** What one room says and hears. */
export class Messages {
  #room;
  #sending = Promise.resolve();
  #receiving = Promise.resolve();
  #replays = new ReplayGuard();
  /** Ids of those whose messages could not be read. */
  #unreadable = new Set();

  constructor(room) { this.#room = room; }

  /** Sends in the order of the calls; with encryption as soon as there is a key. */
  async send(connection, payload, { reliable = true, to, topic = '' } = {}) {
    const room = this.#room;
    if (!room.encrypted) return connection.data.send(write(room, payload, { to, topic }), reliable);
    const packed = pack(payload, topic);
    const seal = async () => {
      await room._encryption.begin(room.name);
      return connection.data.send(write(room, await room._encryption.sealer.encrypt(packed), { to, topic: SEALED_TOPIC }), reliable);
    };
    const done = this.#sending.then(seal);
    this.#sending = done.catch(() => {});
    return done;
  }

  /** Tells the app, in the order of arrival. */
  receive({ from, ...message }) {
    const room = this.#room;
    const participant = room.participants.get(from) ?? null;
    const tell = (content, encrypted) => room._emit('data', { participant, from, ...message, ...content, encrypted });
    const sealed = message.topic === SEALED_TOPIC && message.payload instanceof Uint8Array;
    if (!room.encrypted && !sealed) return tell({}, false);
    this.#receiving = this.#receiving.then(async () => {
      if (!sealed) return tell({}, false);
      const opened = room.encrypted ? await this.#open(message.payload) : null;
      this.#onOpened(participant, from, Boolean(opened));
      if (!opened) return;
      const { prefix, counter } = originOf(message.payload);
      if (this.#replays.accept(prefix, counter)) tell(opened, true);
    });
  }

  async #open(payload) {
    await this.#room._encryption.begin(this.#room.name).catch(() => {});
    const packed = await this.#room._encryption.opener.decrypt(payload);
    return packed && packed.length >= 2 + packed[1] ? unpack(packed) : null;
  }

  /** Says once of each sender that messages cannot be read, and once that they can again. */
  #onOpened(participant, from, ok) {
    if (this.#unreadable.has(from) !== ok) return;
    if (ok) this.#unreadable.delete(from);
    else this.#unreadable.add(from);
    if (participant) this.#room._emit('decryptionChanged', { participant, publication: null, ok });
  }
}

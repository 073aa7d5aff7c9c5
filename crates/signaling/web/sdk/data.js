// @ts-check
// Messages between participants, over two data channels of the connection.

import { PlenumError } from './errors.js';
import { deferred } from './promises.js';

/** What may wait to be sent on a channel, in bytes; beyond it sendData refuses. */
const BUFFERED_MAX = { reliable: 1024 * 1024, lossy: 64 * 1024 };
const TEXT = 1;
const NUMBER_BYTES = 8;
const COUNT_MAX = 255;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The two channels of one connection. */
export class DataChannels {
  #channels;
  #opened = deferred();

  /** @param {RTCPeerConnection} pc @param {(message: object) => void} onMessage */
  constructor(pc, onMessage) {
    this.#channels = {
      reliable: pc.createDataChannel('plenum.reliable'),
      lossy: pc.createDataChannel('plenum.lossy', { ordered: false, maxRetransmits: 0 }),
    };
    this.#opened.promise.catch(() => {}); // who sends hears of it
    const all = Object.entries(this.#channels);
    for (const [name, channel] of all) {
      channel.binaryType = 'arraybuffer';
      channel.onopen = () => { if (all.every(([, it]) => it.readyState === 'open')) this.#opened.resolve(); };
      channel.onmessage = ({ data }) => { if (data instanceof ArrayBuffer) onMessage({ ...read(data), reliable: name === 'reliable' }); };
    }
  }

  /** Sends as soon as the channels are open, in the order of the calls. */
  async send(frame, reliable) {
    await this.#opened.promise;
    const channel = reliable ? this.#channels.reliable : this.#channels.lossy;
    if (channel.readyState !== 'open') throw new PlenumError('connectionLost');
    if (channel.bufferedAmount + frame.byteLength > (reliable ? BUFFERED_MAX.reliable : BUFFERED_MAX.lossy)) throw new PlenumError('bufferFull');
    channel.send(frame);
  }

  close(error) { this.#opened.reject(error); }
}

/** Checks a message and writes its frame. */
export function write(room, payload, { to, topic = '' }) {
  if (!room.grants.canPublishData || room.grants.hidden) {
    throw new PlenumError('notPermitted', 'Ask for a token with canPublishData, and without hidden, to send data messages.');
  }
  const text = typeof payload === 'string';
  const body = text ? encoder.encode(payload) : bytes(payload);
  const most = room.limits.dataMessageBytes;
  if (body.length > most) throw new PlenumError('tooLarge', `Send data messages of at most ${most} bytes; this one has ${body.length}.`);
  const label = encoder.encode(topic);
  if (label.length > COUNT_MAX) throw new PlenumError('tooLarge', `Choose a topic of at most ${COUNT_MAX} bytes.`);
  const receivers = to === undefined ? [] : to.map((identity) => number(room, identity));
  if (to && !receivers.length) throw new PlenumError('unknownParticipant', 'Name a receiver, or leave out `to` to send to all.');
  if (receivers.length > COUNT_MAX) throw new PlenumError('tooLarge', `Name at most ${COUNT_MAX} receivers, or leave out \`to\` to send to all.`);
  const frame = new Uint8Array(3 + receivers.length * NUMBER_BYTES + label.length + body.length);
  const view = new DataView(frame.buffer);
  frame.set([text ? TEXT : 0, receivers.length]);
  receivers.forEach((receiver, index) => view.setBigUint64(2 + index * NUMBER_BYTES, receiver));
  const at = 2 + receivers.length * NUMBER_BYTES;
  frame[at] = label.length;
  frame.set(label, at + 1);
  frame.set(body, at + 1 + label.length);
  return frame;
}

/** The bytes of what may be sent. */
export function bytes(payload) {
  if (payload instanceof ArrayBuffer) return new Uint8Array(payload);
  if (ArrayBuffer.isView(payload)) return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
  throw new TypeError('Send a string, an ArrayBuffer or a view of one.');
}

function number(room, identity) {
  const known = [...room.participants.values()].find((participant) => participant.identity === identity);
  if (!known) throw new PlenumError('unknownParticipant', `Nobody in the room has the identity "${identity}".`);
  return BigInt(known.id.slice('PA_'.length));
}

function read(buffer) {
  const view = new DataView(buffer);
  const sender = view.getBigUint64(1);
  const at = 1 + NUMBER_BYTES;
  const end = at + 1 + view.getUint8(at);
  const payload = new Uint8Array(buffer, end);
  return {
    from: sender ? `PA_${sender}` : null,
    topic: decoder.decode(new Uint8Array(buffer, at + 1, end - at - 1)),
    payload: view.getUint8(0) === TEXT ? decoder.decode(payload) : payload,
  };
}

// @ts-check
// The worker of one room: every encoded frame passes here on its way to and from the network.

import { FrameDecryptor, FrameEncryptor, KeyRing } from './e2ee-frames.js';

/** So many frames in a row must fail before it is told: those on their way when keys change are no failure. */
const FAILURES_TOLD = 5;

const ring = new KeyRing();
/** Receivers, by the numbers that the page gave them. @type {Map<number, Receiver>} */
const receivers = new Map();
/** Senders that have no key yet. @type {Set<() => void>} */
const waiting = new Set();

/** What became of the frames of one receiver. */
class Receiver {
  #id;
  #failures = 0;
  /** @type {boolean|null} */ #told = null;
  #askForKeyframe;

  constructor(id, askForKeyframe) {
    this.#id = id;
    this.#askForKeyframe = askForKeyframe;
  }

  /** Another source comes on it. */
  reset() {
    this.#failures = 0;
    this.#told = null;
  }

  onFrame(ok) {
    const missed = ok && this.#failures > 0;
    this.#failures = ok ? 0 : this.#failures + 1;
    if (missed) this.#askForKeyframe();
    const known = ok || this.#failures >= FAILURES_TOLD;
    if (!known || this.#told === ok) return;
    this.#told = ok;
    postMessage({ receiver: this.#id, ok });
  }
}

function encrypt({ use, readable, writable, transformer }) {
  const encryptor = new FrameEncryptor(ring, use);
  if (use === 'video' && !ring.newest) waiting.add(() => transformer?.generateKeyFrame?.().catch(() => {}));
  const transform = async (frame, controller) => {
    const data = await encryptor.encrypt(new Uint8Array(frame.data));
    if (!data) return; // nothing plain leaves
    frame.data = data.buffer;
    controller.enqueue(frame);
  };
  return readable.pipeThrough(new TransformStream({ transform })).pipeTo(writable);
}

function decrypt({ id, use, readable, writable, transformer }) {
  const decryptor = new FrameDecryptor(ring, use);
  const receiver = new Receiver(id, () => { if (use === 'video') transformer?.sendKeyFrameRequest?.().catch(() => {}); });
  receivers.set(id, receiver);
  const transform = async (frame, controller) => {
    if (!ring.newest) return;
    const data = await decryptor.decrypt(new Uint8Array(frame.data));
    receiver.onFrame(Boolean(data));
    if (!data) return; // nothing unreadable is shown
    frame.data = data.buffer;
    controller.enqueue(frame);
  };
  return readable.pipeThrough(new TransformStream({ transform })).pipeTo(writable);
}

function start(task) {
  // The stream ends with the connection.
  (task.side === 'send' ? encrypt(task) : decrypt(task)).catch(() => {});
}

/** Commands of the page. */
const COMMANDS = {
  key({ entry }) {
    ring.add(entry);
    for (const begin of waiting) begin();
    waiting.clear();
  },
  dropOld() { ring.dropOld(); },
  reset({ id }) { receivers.get(id)?.reset(); },
  forget({ id }) { receivers.delete(id); },
  // Browsers without RTCRtpScriptTransform.
  streams({ task }) { start(task); },
};

addEventListener('message', ({ data }) => COMMANDS[data.command]?.(data));
addEventListener('rtctransform', (/** @type {any} */ { transformer }) => {
  start({ ...transformer.options, readable: transformer.readable, writable: transformer.writable, transformer });
});
postMessage({ ready: true });

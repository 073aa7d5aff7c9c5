// @ts-check
// End-to-end encryption of one room. Every peer connection, sender and receiver of the SDK passes
// here once, whether the room is encrypted or not.

import { deriveKeys } from './e2ee-keys.js';
import { FrameDecryptor, FrameEncryptor, KeyRing } from './e2ee-frames.js';
import { openWorker } from './e2ee-open-worker.js';
import { PlenumError } from './errors.js';
import { deferred } from './promises.js';

/** How long what was encrypted before a change of the passphrase can still be read, in ms. */
const KEEP_OLD_MS = 10_000;

const scripted = () => 'RTCRtpScriptTransform' in globalThis;
const supported = () => Boolean(globalThis.crypto?.subtle && globalThis.Worker) && (scripted() || 'createEncodedStreams' in (globalThis.RTCRtpSender?.prototype ?? {}));

/** Refuses what would encrypt nothing. @param {unknown} passphrase */
function checked(passphrase) {
  if (typeof passphrase === 'string' && passphrase) return passphrase;
  throw new TypeError('Pass a passphrase: a string that is not empty.');
}

export class Encryption {
  #room;
  #options;
  /** @type {Worker|null} */ #worker = null;
  #loaded = deferred();
  #ring = new KeyRing();
  #salt = deferred();
  /** Passphrases become keys one after the other. */
  #busy = Promise.resolve();
  #ready = null;
  #forgetting = null;
  /** Who hears about the frames of which receiver. @type {Map<number, (ok: boolean) => void>} */ #receivers = new Map();
  #numbers = 0;

  /** @param {any} room @param {{ passphrase: string, worker?: () => Worker }} [options] */
  constructor(room, options) {
    this.#room = room;
    this.#options = options;
    /** Whether this client encrypts. */
    this.enabled = Boolean(options);
    if (options) checked(options.passphrase);
    /** For messages. */
    this.sealer = new FrameEncryptor(this.#ring, 'data');
    this.opener = new FrameDecryptor(this.#ring, 'data');
  }

  // ---- keys

  /** Begins to make keys as soon as the room's name is known; resolves when frames can be encrypted. @param {string} [room] */
  begin(room) {
    if (!this.enabled || !room) return Promise.resolve();
    this.#salt.resolve(room);
    this.#ready ??= Promise.all([this.setPassphrase(this.#options.passphrase), this.#loaded.promise]);
    return this.#ready;
  }

  /** Encrypts with another passphrase from now on. @param {string} passphrase */
  setPassphrase(passphrase) {
    if (!this.enabled) return Promise.reject(new PlenumError('notPermitted', 'Join with the option `e2ee` to encrypt.'));
    const change = async () => {
      const entry = await deriveKeys(checked(passphrase), await this.#salt.promise);
      this.#ring.add(entry);
      this.#tell({ command: 'key', entry });
      clearTimeout(this.#forgetting);
      this.#forgetting = setTimeout(() => this.#dropOld(), KEEP_OLD_MS);
    };
    const done = this.#busy.then(change);
    this.#busy = done.catch(() => {});
    return done;
  }

  #dropOld() {
    this.#ring.dropOld();
    this.#tell({ command: 'dropOld' });
  }

  // ---- the worker

  #tell(message, transfer = []) { this.#worker?.postMessage(message, transfer); }

  #open() {
    if (this.#worker) return this.#worker;
    const failed = (error) => this.#loaded.reject(new PlenumError('encryptionUnsupported', 'The worker of the SDK does not load. Serve e2ee-worker.js beside the SDK, or pass e2ee.worker.', error));
    try {
      this.#worker = (this.#options.worker ?? openWorker)();
    } catch (error) {
      failed(error);
      throw new PlenumError('encryptionUnsupported', '', error);
    }
    this.#worker.addEventListener('error', failed);
    this.#worker.addEventListener('message', ({ data }) => {
      if (data.ready) this.#loaded.resolve();
      else this.#receivers.get(data.receiver)?.(data.ok);
    });
    return this.#worker;
  }

  close() {
    clearTimeout(this.#forgetting);
    for (const waits of [this.#loaded, this.#salt]) waits.reject(new PlenumError('closed'));
    this.#worker?.terminate();
    this.#receivers.clear();
  }

  // ---- peer connections

  /** What to make an RTCPeerConnection with. @param {RTCConfiguration} base */
  configuration(base) {
    if (!this.enabled) return base;
    if (!supported()) throw new PlenumError('encryptionUnsupported');
    this.#open();
    return scripted() ? base : { ...base, encodedInsertableStreams: true };
  }

  /** From now on the sender sends nothing plain. @param {RTCRtpSender} sender @param {string} kind */
  encrypt(sender, kind) {
    if (this.enabled) this.#attach(sender, { side: 'send', use: kind });
  }

  /**
   * From now on the receiver plays nothing that was not encrypted; `onChange` hears whether frames
   * can be decrypted. @param {RTCRtpReceiver} receiver @param {string} kind @param {(ok: boolean) => void} onChange
   */
  decrypt(receiver, kind, onChange) {
    if (!this.enabled) return null;
    const id = (this.#numbers += 1);
    this.#receivers.set(id, onChange);
    this.#attach(receiver, { side: 'receive', use: kind, id });
    return {
      /** Another source comes on it. */
      reset: () => this.#tell({ command: 'reset', id }),
      close: () => { this.#receivers.delete(id); this.#tell({ command: 'forget', id }); },
    };
  }

  #attach(end, task) {
    const worker = this.#open();
    if (scripted()) {
      end.transform = new (/** @type {any} */ (globalThis).RTCRtpScriptTransform)(worker, task);
    } else {
      const { readable, writable } = end.createEncodedStreams();
      this.#tell({ command: 'streams', task: { ...task, readable, writable } }, [readable, writable]);
    }
  }

  // ---- what of others can be read

  /** Whether it is worth asking for, as its publisher says. */
  mayRead(publication) { return publication.encrypted === this.enabled; }

  /** A publication is known, or says something else. */
  onPublication(publication) {
    if (!this.mayRead(publication)) this.onReadable(publication, false);
    else if (!this.enabled) this.onReadable(publication, true);
  }

  /** A slot carries another publication. Without a key, the noise of one that is encrypted is not played. */
  onBinding(slot) {
    slot.decryption?.reset();
    const { publication } = slot.binding;
    if (!this.enabled) slot.track.enabled = publication ? !publication.encrypted : !slot.told?.publication;
  }

  onReadable(publication, ok) {
    if (publication.readable === ok) return;
    publication.readable = ok;
    this.#room._emit('decryptionChanged', { participant: publication.participant, publication, ok });
  }
}

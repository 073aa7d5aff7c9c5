// @ts-check
// The access token of a stay: got from the app, kept for coming back, replaced before it expires.

import { PlenumError } from './errors.js';
import { deferred } from './promises.js';

/** How long the server may take to answer, in ms. */
const ANSWER_TIMEOUT_MS = 10_000;
/** Ids of our messages begin here, away from those of offers. */
const FIRST_ID = 1 << 30;

export class Token {
  #source;
  #send;
  #value = null;
  #asked = FIRST_ID;
  /** Answers that are awaited, by the ids of the questions. */
  #pending = new Map();

  /**
   * @param {string | (() => string | Promise<string>) | undefined} source
   * @param {(message: object) => void} send
   */
  constructor(source, send) {
    this.#source = source;
    this.#send = send;
  }

  /** The app can make others. */
  get renewable() { return typeof this.#source === 'function'; }

  /** The latest one; the app is asked only if there is none. */
  async get() {
    this.#value ??= await this.#ask();
    return this.#value;
  }

  /** The server does not accept it; whether the app may have another. */
  drop() {
    if (!this.renewable || !this.#value) return false;
    this.#value = null;
    return true;
  }

  /** What goes wrong in the app is not the server's fault. */
  async #ask() {
    const source = this.#source;
    try {
      return await (typeof source === 'function' ? source() : source);
    } catch (error) {
      throw error instanceof PlenumError ? error : new PlenumError('tokenUnavailable', '', error);
    }
  }

  /** Shows the server another token, by default one that the app makes. @param {string} [value] */
  async refresh(value) {
    const next = value ?? await this.#ask();
    const id = (this.#asked += 1);
    const answered = deferred();
    this.#pending.set(id, answered);
    const timer = setTimeout(() => answered.reject(new PlenumError('serverUnreachable')), ANSWER_TIMEOUT_MS);
    this.#send({ type: 'refreshToken', id, token: next });
    try {
      await answered.promise;
      this.#value = next;
    } finally {
      clearTimeout(timer);
      this.#pending.delete(id);
    }
  }

  /** Whether a message was the answer to one of ours. */
  take(message) {
    const pending = this.#pending.get(message.type === 'error' ? message.ref : message.id);
    if (!pending || !['tokenRefreshed', 'error'].includes(message.type)) return false;
    if (message.type === 'error') pending.reject(new PlenumError(message.code, message.message));
    else pending.resolve();
    return true;
  }

  close(error) { for (const pending of this.#pending.values()) pending.reject(error); }
}

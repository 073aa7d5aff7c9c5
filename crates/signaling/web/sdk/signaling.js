// @ts-check
// What is said with the server during one stay, over one WebSocket after another.

import { PlenumError, SENTENCES, isFinal } from './errors.js';
import { Backoff, deferred } from './promises.js';
import { Socket } from './socket.js';
import { Token } from './token.js';
import { VERSION } from './version.js';

/** How long joining and resuming may take, with what the app needs for a token, in ms. */
const JOIN_TIMEOUT_MS = 10_000;
const RESUME_TIMEOUT_MS = 4000;
/** First and longest wait between attempts to resume, in ms. */
const BACKOFF_MS = [250, 2000];
/** After so long without a WebSocket the stay is given up, in ms. */
const RESUME_LIMIT_MS = 30_000;
/** How long a WebSocket may stay silent where the network seems to have changed, in ms. */
const PROBE_MS = 2000;
/** What the server closes a WebSocket for although the stay goes on. */
const RESUMABLE = ['idle', 'slow'];
/** Messages that the server counts, and tells again if they did not arrive. */
const EVENTS = new Set([
  'participantJoined', 'participantUpdated', 'participantLeft', 'tokenExpiring', 'grantsChanged', 'published',
  'unpublished', 'muted', 'slotChanged', 'layersWanted', 'speakers', 'connection', 'draining',
]);

/** Tells why a stay ended if the server says so. */
function closingError({ reason, message, reconnect }) {
  return reconnect ? new PlenumError('connectionLost') : new PlenumError(reason, SENTENCES[reason] || message);
}

export class Signaling {
  /** @type {Socket|null} */ #socket = null;
  #handlers;
  #options;
  #joined = deferred();
  #resumed = deferred();
  #backoff = new Backoff(BACKOFF_MS);
  /** What proves whose stay this is, once joined. */
  #pass = null;
  /** Kept: resuming must not depend on whoever makes tokens. */
  #token;
  /** Events received. */
  #received = 0;
  #closed = false;
  /** Resolves when something can be sent. */
  opened = deferred();
  /** The WebSocket is being made anew. */
  resuming = false;

  /**
   * @param {{ url?: string, room?: string, name?: string, token?: any }} options
   * @param {{ onMessage: (message: any) => void, onInterrupted: () => void, onResumed: () => void,
   *   onLost: (error: PlenumError) => void }} handlers
   */
  constructor(options, handlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#token = new Token(options.token, (message) => this.send(message));
  }

  /** Resolves with the server's `joined`. */
  join() {
    const { room, name } = this.#options;
    return this.#ask({ type: 'join', room, name, sdk: `plenum.js/${VERSION}` }, this.#joined, JOIN_TIMEOUT_MS);
  }

  /** Opens a WebSocket with a first message and waits for the answer to it. */
  async #ask(hello, answered, patience) {
    const timer = setTimeout(() => answered.reject(new PlenumError('serverUnreachable')), patience);
    try {
      this.#open(hello, answered).catch(answered.reject);
      return await answered.promise;
    } catch (error) {
      throw error instanceof PlenumError ? error : new PlenumError('serverUnreachable', '', error);
    } finally {
      clearTimeout(timer);
    }
  }

  async #open(hello, answered) {
    const { url } = this.#options;
    const token = await this.#token.get();
    // The app may have taken too long.
    if (this.#closed || answered.settled) return;
    this.#socket = new Socket({
      url, token, hello,
      ping: () => ({ type: 'ping', at: Math.round(performance.now()), ...(this.#pass ? { received: this.#received } : {}) }),
      onOpen: () => this.opened.resolve(),
      onMessage: (message) => this.#onMessage(message),
      onLost: (error) => this.#onSocketLost(error),
    });
  }

  send(message) { this.#socket?.send(message); }

  /** Shows the server another token, by default one that the app's function makes. @param {string} [token] */
  refreshToken(token) { return this.#token.refresh(token); }

  #onMessage(message) {
    if (EVENTS.has(message.type)) this.#received += 1;
    if (this.#token.take(message)) return undefined;
    switch (message.type) {
      case 'joined':
        this.#pass = { room: message.room.name, participant: message.participant.id, secret: message.resumeSecret };
        return this.#joined.resolve(message);
      case 'resumed':
        return this.#resumed.resolve(message);
      case 'closing':
        // If the stay goes on, the end of the socket tells.
        return RESUMABLE.includes(message.reason) ? undefined : this.#lose(closingError(message));
      case 'error':
        return this.#onError(message);
      default:
        return this.#handlers.onMessage(message);
    }
  }

  #onError(message) {
    const error = new PlenumError(message.code, message.message);
    if (this.resuming && (message.fatal || message.code === 'resumeFailed')) return this.#resumed.reject(error);
    return message.fatal ? this.#lose(error) : this.#handlers.onMessage(message);
  }

  #onSocketLost(error) {
    if (this.resuming) this.#resumed.reject(error);
    else if (this.#pass && !isFinal(error)) this.#resume();
    else this.#lose(error);
  }

  async #resume() {
    this.resuming = true;
    this.#handlers.onInterrupted();
    const deadline = performance.now() + RESUME_LIMIT_MS;
    this.#backoff.reset();
    for (;;) {
      await this.#backoff.wait();
      if (this.#closed) return undefined;
      const error = await this.#resumeOnce();
      if (this.#closed) return undefined;
      if (!error) break;
      this.#socket?.close();
      const expired = error.code.startsWith('token') && this.#token.drop(); // A new one may do.
      if (error.code === 'resumeFailed') return this.#lose(new PlenumError('connectionLost', '', error));
      if ((isFinal(error) && !expired) || performance.now() > deadline) return this.#lose(error);
    }
    this.resuming = false;
    return this.#handlers.onResumed();
  }

  /** Resolves with what went wrong, or null. */
  #resumeOnce() {
    this.#resumed = deferred();
    return this.#ask({ type: 'resume', ...this.#pass, received: this.#received }, this.#resumed, RESUME_TIMEOUT_MS).then(() => null, (error) => error);
  }

  /** The network may have changed: a dead WebSocket shall be noticed soon. */
  onNetworkChange() {
    if (this.resuming) this.#backoff.wake();
    else this.#socket?.probe(PROBE_MS);
  }

  #lose(error) {
    this.close(error);
    this.#handlers.onLost(error);
  }

  /** Says nothing afterwards. @param {PlenumError} error */
  close(error) {
    this.#closed = true;
    this.#token.close(error);
    this.#socket?.close();
    this.#backoff.wake();
    for (const pending of [this.#joined, this.#resumed, this.opened]) pending.reject(error);
  }
}

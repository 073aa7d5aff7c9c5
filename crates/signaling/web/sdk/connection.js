// @ts-check
// One connection: WebSocket, offers and answers, ICE.

import { PlenumError, SENTENCES, closeError } from './errors.js';
import { deferred } from './promises.js';
import { SlotPool } from './slots.js';
import { VERSION } from './version.js';

/** A WebSocket that stays silent over one such interval after a ping is given up, in ms. */
const PING_INTERVAL_MS = 5000;
/** How long joining or an answer may take before the connection is given up, in ms. */
const ANSWER_TIMEOUT_MS = 10_000;
/** How long 'disconnected' may last before ICE is restarted, in ms. */
const ICE_PATIENCE_MS = 3000;
/** How long an ICE restart may take before the next attempt, in ms. */
const ICE_RESTART_MS = 5000;
/** After so many ICE restarts in vain the whole connection is made anew. */
const ICE_RESTARTS = 2;

/** The WebSocket address of a server. */
function socketUrl(url) {
  const address = new URL(url || location.origin, location.href);
  address.protocol = address.protocol.replace(/^http/, 'ws');
  if (!address.pathname.endsWith('/v1/ws')) address.pathname = address.pathname.replace(/\/*$/, '/v1/ws');
  return address.href;
}

/** One WebSocket with one peer connection. It ends as a whole and is never reused. */
export class Connection {
  #socket = null;
  #opened = deferred();
  #joined = deferred();
  #answers = new Map();
  #offers = 0;
  #questions = new Map();
  #asked = 0;
  #dirty = false;
  #negotiating = false;
  #heard = true;
  #pinger = null;
  #iceTimer = null;
  #iceRestarts = 0;

  constructor(room) {
    this.room = room;
    this.closed = false;
    this.offering = false;
    this.limits = null;
    if (typeof RTCPeerConnection === 'undefined' || typeof WebSocket === 'undefined') throw new PlenumError('webrtcUnsupported');
    this.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require', iceServers: room._options.iceServers ?? [] });
    this.pc.onconnectionstatechange = this.pc.oniceconnectionstatechange = () => this.#onPeerState();
    this.slots = new SlotPool(this);
  }

  /** Opens the WebSocket and joins; offers may be prepared meanwhile. */
  async join(token) {
    const timer = setTimeout(() => this.fail(new PlenumError('serverUnreachable')), ANSWER_TIMEOUT_MS);
    try {
      const { url, room, name } = this.room._options;
      const value = await (typeof token === 'function' ? token() : token);
      if (this.closed) throw new PlenumError('closed');
      this.#open(socketUrl(url), value, { type: 'join', room, name, sdk: `plenum.js/${VERSION}` });
      return await this.#joined.promise;
    } catch (error) {
      const known = error instanceof PlenumError ? error : new PlenumError('serverUnreachable', '', error);
      this.fail(known);
      throw known;
    } finally {
      clearTimeout(timer);
    }
  }

  #open(url, token, hello) {
    try {
      this.#socket = new WebSocket(url, token ? ['plenum.v1', `token.${token}`] : ['plenum.v1']);
    } catch (error) {
      throw new PlenumError('tokenInvalid', 'The token is malformed. Ask the app for a new one.', error);
    }
    this.#socket.onopen = () => {
      this.#socket.send(JSON.stringify(hello));
      this.#opened.resolve();
    };
    this.#socket.onmessage = ({ data }) => this.#onMessage(JSON.parse(data));
    this.#socket.onclose = ({ code, reason }) => this.fail(closeError(code, reason));
    this.#pinger = setInterval(() => this.#ping(), PING_INTERVAL_MS);
  }

  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Asks why the slots show what they show. */
  async explain() {
    const id = (this.#asked += 1);
    const answered = deferred();
    this.#questions.set(id, answered);
    const timer = setTimeout(() => answered.reject(new PlenumError('serverUnreachable')), ANSWER_TIMEOUT_MS);
    this.send({ type: 'explain', id });
    try {
      return await answered.promise;
    } finally {
      clearTimeout(timer);
      this.#questions.delete(id);
    }
  }

  #ping() {
    if (!this.#heard) return this.fail(new PlenumError('connectionLost'));
    this.#heard = false;
    this.send({ type: 'ping', at: Math.round(performance.now()) });
  }

  #onMessage(message) {
    this.#heard = true;
    if (this.closed) return;
    switch (message.type) {
      case 'joined':
        this.limits = message.limits;
        return this.#joined.resolve(message);
      case 'answer':
        return this.#answers.get(message.id)?.resolve(message);
      case 'quality':
        return this.#questions.get(message.id)?.resolve(message);
      case 'error':
        return this.#onError(message);
      case 'closing':
        return this.fail(new PlenumError(message.reconnect ? 'connectionLost' : message.reason, message.reconnect ? '' : SENTENCES[message.reason] || message.message));
      default:
        return this.room._onMessage(message, this);
    }
  }

  #onError({ code, message, fatal, ref, mids = [] }) {
    const error = new PlenumError(code, message);
    if (fatal) return this.fail(error);
    if (!mids.length && this.#answers.has(ref)) return this.#answers.get(ref).reject(error);
    // A publication may end while a message about it is on its way; publish() tells of refusals.
    const expected = code === 'unknownPublication' || (code === 'notPermitted' && mids.length);
    if (!expected) this.room._emit('error', error);
  }

  /** Makes an offer soon; offers wait for each other. */
  negotiate() {
    this.offering = true;
    this.#dirty = true;
    if (this.#negotiating || this.closed) return;
    this.#negotiating = true;
    queueMicrotask(() => this.#negotiateAll());
  }

  async #negotiateAll() {
    try {
      while (this.#dirty && !this.closed) {
        this.#dirty = false;
        await this.#negotiateOnce();
      }
    } catch (error) {
      this.fail(error instanceof PlenumError ? error : new PlenumError('connectionLost', '', error));
    } finally {
      this.#negotiating = false;
    }
  }

  async #negotiateOnce() {
    const { pc, room } = this;
    await pc.setLocalDescription();
    await this.#opened.promise;
    const published = [...room._publications].filter((publication) => publication._connection === this && publication._transceiver.mid !== null);
    const id = (this.#offers += 1);
    const answered = deferred();
    this.#answers.set(id, answered);
    this.send({
      type: 'offer', id, sdp: pc.localDescription.sdp,
      publications: published.map((publication) => publication._describe()), slots: this.slots.describe(),
    });
    const timer = setTimeout(() => this.fail(new PlenumError('connectionLost')), ANSWER_TIMEOUT_MS);
    try {
      const answer = await answered.promise;
      await pc.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
      this.#onAnswer(answer, published);
    } catch (error) {
      if (this.closed || !(error instanceof PlenumError)) throw error;
      await this.#onRefusal(error, published);
    } finally {
      clearTimeout(timer);
      this.#answers.delete(id);
    }
  }

  #onAnswer(answer, published) {
    for (const publication of published.filter((p) => !p.stopped)) {
      const { mid } = publication._transceiver;
      const found = answer.publications?.find((entry) => entry.mid === mid);
      if (found) publication._accept(found.id);
      else publication._refuse(new PlenumError('notPermitted', 'The server did not accept the track. Check what the token allows.'));
    }
  }

  /** The offer as a whole was refused: go back to the state before it. */
  async #onRefusal(error, published) {
    if (!this.pc.currentRemoteDescription) throw error;
    await this.pc.setLocalDescription({ type: 'rollback' });
    for (const publication of published.filter((p) => !p.id)) publication._refuse(error);
    this.slots.dropUnannounced();
    this.room._emit('error', error);
  }

  // ICE: patience first, then restarts, then a new connection.

  get connected() { return this.pc.connectionState === 'connected'; }

  #onPeerState() {
    if (this.closed) return;
    const { connectionState, iceConnectionState } = this.pc;
    if (connectionState === 'connected') {
      clearTimeout(this.#iceTimer);
      this.#iceTimer = null;
      this.#iceRestarts = 0;
    } else if (iceConnectionState === 'failed') {
      this.#restartAfter(0);
    } else if (iceConnectionState === 'disconnected') {
      this.#restartAfter(ICE_PATIENCE_MS);
    } else if (connectionState === 'failed') {
      return this.fail(new PlenumError('connectionLost'));
    }
    this.room._updateState();
  }

  #restartAfter(delay) {
    if (!delay) clearTimeout(this.#iceTimer);
    else if (this.#iceTimer) return;
    this.#iceTimer = setTimeout(() => this.restartIce(), delay);
  }

  restartIce() {
    clearTimeout(this.#iceTimer);
    this.#iceTimer = null;
    if (this.closed) return;
    if (this.#iceRestarts >= ICE_RESTARTS) return this.fail(new PlenumError('mediaUnreachable'));
    this.#iceRestarts += 1;
    this.pc.restartIce();
    this.negotiate();
    this.#iceTimer = setTimeout(() => { if (!this.connected) this.restartIce(); }, ICE_RESTART_MS);
  }

  /** Gives up the WebSocket and tells the room why; the old picture stays until `close`. */
  fail(error) {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.#pinger);
    clearTimeout(this.#iceTimer);
    if (this.#socket) this.#socket.onclose = null;
    this.#socket?.close();
    this.#joined.reject(error);
    this.#opened.reject(error);
    for (const pending of [...this.#answers.values(), ...this.#questions.values()]) pending.reject(error);
    this.room._onConnectionLost(this, error);
  }

  close() {
    this.fail(new PlenumError('closed'));
    this.pc.close();
  }
}

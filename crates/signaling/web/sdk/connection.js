// @ts-check
// One connection: offers and answers, ICE.

import { DataChannels } from './data.js';
import { PlenumError } from './errors.js';
import { deferred } from './promises.js';
import { Signaling } from './signaling.js';
import { SlotPool } from './slots.js';

/** How long an answer may take before the connection is given up, in ms. */
const ANSWER_TIMEOUT_MS = 10_000;
/** How long 'disconnected' may last before ICE is restarted, in ms. */
const ICE_PATIENCE_MS = 3000;
/** How long a direct path may take before one over a relay is tried too, in ms. */
const RELAY_PATIENCE_MS = 2000;
/** How long an ICE restart may take before the next attempt, in ms. */
const ICE_RESTART_MS = 5000;
/** After so many ICE restarts in vain the whole connection is made anew. */
const ICE_RESTARTS = 2;

/** One stay in a room: a peer connection and its signaling. It ends as a whole and is never reused. */
export class Connection {
  #signaling;
  #answers = new Map();
  #offers = 0;
  #questions = new Map();
  #asked = 0;
  #dirty = false;
  #negotiating = false;
  /** The offer that waits for its answer. */
  #inFlight = null;
  #patience = null;
  #knowsServers = deferred();
  #iceTimer = null;
  #iceRestarts = 0;

  constructor(room) {
    this.room = room;
    this.closed = false;
    this.offering = false;
    this.limits = null;
    if (typeof RTCPeerConnection === 'undefined' || typeof WebSocket === 'undefined') throw new PlenumError('webrtcUnsupported');
    const { iceServers = [], iceTransportPolicy = 'all' } = room._options;
    this.pc = new RTCPeerConnection(room._encryption.configuration({ bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require', iceServers, iceTransportPolicy }));
    this.pc.onconnectionstatechange = this.pc.oniceconnectionstatechange = () => this.#onPeerState();
    this.slots = new SlotPool(this);
    this.data = new DataChannels(this.pc, (message) => room._onData(message, this));
    this.#signaling = new Signaling(room._options, {
      onMessage: (message) => this.#onMessage(message),
      onInterrupted: () => { clearTimeout(this.#patience); room._updateState(); },
      onResumed: () => this.#onResumed(),
      onLost: (error) => this.fail(error),
    });
  }

  /** Opens the WebSocket and joins; offers may be prepared meanwhile. */
  async join() {
    try {
      const joined = await this.#signaling.join();
      this.limits = joined.limits;
      this.#useIceServers(joined.iceServers);
      return joined;
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  /**
   * The server names STUN and TURN servers, unless the app has. The first offer does not wait for
   * them: they are there when nothing works without.
   */
  #useIceServers(iceServers) {
    if (iceServers.length && !this.room._options.iceServers) {
      this.pc.setConfiguration({ ...this.pc.getConfiguration(), iceServers });
      this.#iceTimer ??= setTimeout(() => { this.#iceTimer = null; if (!this.connected) this.restartIce(); }, RELAY_PATIENCE_MS);
    }
    this.#knowsServers.resolve();
  }

  /** The WebSocket is being made anew; media goes on. */
  get resuming() { return this.#signaling.resuming; }

  #onResumed() {
    // What was sent last may be lost; an offer tells everything.
    this.#transmit();
    if (this.connected) this.negotiate();
    else this.restartIce();
    this.room._updateState();
  }

  onNetworkChange() {
    this.#signaling.onNetworkChange();
    if (!this.connected) this.restartIce();
  }

  send(message) { this.#signaling.send(message); }

  refreshToken(token) { return this.#signaling.refreshToken(token); }

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

  #onMessage(message) {
    switch (message.type) {
      case 'answer':
        return this.#answers.get(message.id)?.resolve(message);
      case 'quality':
        return this.#questions.get(message.id)?.resolve(message);
      case 'error':
        return this.#onError(message);
      default:
        return this.room._onMessage(message, this);
    }
  }

  #onError({ code, message, ref, mids = [] }) {
    const error = new PlenumError(code, message);
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
    if (room._options.iceTransportPolicy === 'relay') await this.#knowsServers.promise;
    await pc.setLocalDescription();
    await this.#signaling.opened.promise;
    const published = [...room._publications].filter((publication) => publication._connection === this && publication._transceiver.mid !== null);
    const id = (this.#offers += 1);
    const answered = deferred();
    this.#answers.set(id, answered);
    this.#inFlight = {
      type: 'offer', id, sdp: pc.localDescription.sdp,
      publications: published.map((publication) => publication._describe()), slots: this.slots.describe(),
    };
    this.#transmit();
    try {
      const answer = await answered.promise;
      await pc.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
      this.#onAnswer(answer, published);
    } catch (error) {
      if (this.closed || !(error instanceof PlenumError)) throw error;
      await this.#onRefusal(error, published);
    } finally {
      clearTimeout(this.#patience);
      this.#inFlight = null;
      this.#answers.delete(id);
    }
  }

  /** Sends the offer that waits for its answer, if there is one; without a WebSocket it waits on. */
  #transmit() {
    clearTimeout(this.#patience);
    if (!this.#inFlight || this.resuming) return;
    this.#patience = setTimeout(() => this.fail(new PlenumError('connectionLost')), ANSWER_TIMEOUT_MS);
    this.send(this.#inFlight);
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
      this.#signaling.onNetworkChange();
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
    // Without a WebSocket no offer gets out; it is made when that is back.
    if (this.closed || this.resuming) return;
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
    clearTimeout(this.#iceTimer);
    clearTimeout(this.#patience);
    this.#signaling.close(error);
    this.data.close(error);
    this.#knowsServers.reject(error);
    for (const pending of [...this.#answers.values(), ...this.#questions.values()]) pending.reject(error);
    this.room._onConnectionLost(this, error);
  }

  close() {
    this.fail(new PlenumError('closed'));
    this.slots.close();
    this.pc.close();
  }
}

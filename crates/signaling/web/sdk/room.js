// @ts-check
// A room: joining, publishing, showing, and coming back when the connection is lost.

import { Connection } from './connection.js';
import { Encryption } from './e2ee.js';
import { Emitter } from './emitter.js';
import { PlenumError, isFinal } from './errors.js';
import { LocalPublication } from './local-publication.js';
import { Messages } from './messages.js';
import { People } from './people.js';
import { Backoff } from './promises.js';
import { publishCamera, publishFirst, publishMicrophone, publishScreen } from './publishing.js';
import { Sound } from './sound.js';
import { Stage } from './stage.js';
import { Stats } from './stats.js';

/** First and longest wait between attempts to reconnect, in ms; doubled each time, with jitter. */
const BACKOFF_MS = [250, 5000];
/** After so long without a connection the room is closed, in ms. */
const RECONNECT_LIMIT_MS = 180_000;

/** A room that this client is in. */
export class Room extends Emitter {
  _connection = null;
  _stage = new Stage(this);
  #reconnecting = false;
  #backoff = new Backoff(BACKOFF_MS);
  #messages = new Messages(this);
  #people = new People(this);
  #sound = new Sound(this);
  #stats = new Stats();
  #joinedOnce = false;

  /** Joins a room and resolves when the server has let the client in. */
  static async join(options) {
    const room = new Room(options);
    await room.join();
    return room;
  }

  constructor(options) {
    super();
    this._options = { ...options };
    this._encryption = new Encryption(this, options.e2ee);
    /** @type {Set<LocalPublication>} */ this._publications = new Set();
    /** @type {Map<string, import('./remote.js').RemoteParticipant>} */ this.participants = new Map();
    this.local = { id: '', identity: '', name: options.name ?? '', metadata: '', attributes: {} };
    this.id = this.name = '';
    this.grants = this.limits = null;
    this.state = 'idle';
    this.speakers = [];
    this.audioBlocked = false;
  }

  /** What this client publishes. */
  get publications() { return [...this._publications]; }

  /** Whether this client encrypts from end to end. */
  get encrypted() { return this._encryption.enabled; }

  /** The own publication of a source, if any. @param {string} source */
  publication(source) { return this.publications.find((publication) => publication.source === source) ?? null; }

  async join() {
    if (this.state !== 'idle') throw new PlenumError('alreadyJoined', 'This room was joined before. Make a new Room.');
    const { signal } = this._options;
    const aborted = () => new PlenumError('aborted', '', signal.reason);
    const abort = () => { this._send({ type: 'leave' }); this.#close(aborted()); };
    this.#setState('connecting');
    try {
      if (signal?.aborted) throw aborted();
      signal?.addEventListener('abort', abort);
      const connection = this._connection = new Connection(this);
      const joined = connection.join();
      this._encryption.begin(this._options.room).catch(() => {}); // told below
      publishFirst(this).then(() => connection.negotiate());
      const message = await joined;
      if (this.state === 'closed') throw new PlenumError('closed'); // left or aborted meanwhile
      this.#enter(message);
      await this._encryption.begin(message.room.name);
    } catch (error) {
      const reason = signal?.aborted ? aborted() : error;
      this.#close(reason);
      if (!this._connection) publishFirst(this); // stops the tracks that were to be published
      throw reason;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
    addEventListener('online', this.#onOnline);
    addEventListener('pagehide', this.#onPageHide);
    document.addEventListener('visibilitychange', this.#onVisibility);
  }

  #enter({ participant, room, participants, limits, grants }) {
    const again = this.#joinedOnce;
    this.#joinedOnce = true;
    Object.assign(this, { local: participant, id: room.id, name: room.name, limits, grants });
    this.#people.sync(participants, again);
    if (this._options.playAudio !== false) this.#sound.play(this._connection.slots.all.filter((slot) => slot.kind === 'audio'));
    this._updateState();
  }

  _onMessage(message, connection) {
    if (connection !== this._connection) return;
    if (message.type === 'dataDropped') return this._emit('dataDropped', { messages: message.messages });
    if (message.type === 'draining') return this.#move(message.url);
    if (message.type === 'tokenExpiring') return this.#onTokenExpiring();
    if (message.type !== 'layersWanted') return this.#people.handle(message);
    for (const publication of this._publications) if (publication.id === message.publication) publication._onLayersWanted(message.layers);
  }

  // ---- publishing

  /** Publishes a track; resolves when the server has accepted it. */
  publish(track, options = {}) {
    if (this.state === 'closed' || this.state === 'idle') {
      if (options.own || options.acquire) track.stop();
      return Promise.reject(new PlenumError(this.state === 'idle' ? 'notJoined' : 'closed'));
    }
    const publication = new LocalPublication(this, track, options);
    this._publications.add(publication);
    if (this._connection) {
      publication._bind(this._connection);
      if (this._connection.offering) this._connection.negotiate(); // else the first offer carries it
    }
    this._emit('localPublished', { publication });
    return publication._ready.promise;
  }

  /** Opens a camera and publishes it. */
  publishCamera(options = {}) { return publishCamera(this, options); }

  /** Opens a microphone and publishes it. */
  publishMicrophone(options = {}) { return publishMicrophone(this, options); }

  /** Asks for a screen or window and publishes it, with its sound if there is any. */
  publishScreen(options = {}) { return publishScreen(this, options); }

  // ---- data messages

  /** Sends a string or bytes to all others, or to those named by identity. */
  async sendData(payload, options = {}) { await this.#messages.send(this.#joined(), payload, options); }

  _onData(message, connection) { if (connection === this._connection) this.#messages.receive(message); }

  /** Encrypts with another passphrase from now on; what others encrypted with the last one is readable for 10 s. */
  async setPassphrase(passphrase) { await this._encryption.setPassphrase(passphrase); }

  // ---- showing and playing

  /**
   * Shows a publication, own or remote, in a <video> and lets the size of the element choose the
   * layer. Returns a function that detaches it. A hidden element costs no bandwidth.
   */
  attach(publication, element) { return this._stage.attach(publication, element); }

  /** Stops showing anything in an element. */
  detach(element) { this._stage.detach(element); }

  /** Plays the sound of the others; call it from a click after the event `audioBlocked`. */
  async startAudio() { await this.#sound.start(); }

  /** Chooses the loudspeaker, where the browser can. */
  async setSpeaker(deviceId) { await this.#sound.choose(deviceId); }

  // ---- token

  /** Shows the server another token of the same identity for the same room; its grants count from then on. */
  async refreshToken(token) {
    await this.#joined().refreshToken(token);
    if (typeof this._options.token !== 'function') this._options.token = token;
  }

  /** The app makes another by itself if its token is a function. */
  #onTokenExpiring() {
    this._emit('tokenExpiring', {});
    if (typeof this._options.token === 'function') this.#joined().refreshToken().catch((error) => { if (this.state !== 'closed') this._emit('error', error); });
  }

  // ---- connection

  /** The connection, for what needs one. */
  #joined() {
    if (this.state === 'closed') throw new PlenumError('closed');
    if (!this.#joinedOnce) throw new PlenumError('notJoined');
    return this._connection;
  }

  _send(message) { this._connection?.send(message); }

  #setState(state) {
    if (this.state === state) return;
    this.state = state;
    this._emit('connectionState', { state });
  }

  _updateState() {
    if (this.state === 'closed' || this.#reconnecting || !this.#joinedOnce) return;
    const { pc, resuming } = this._connection;
    if (resuming) this.#setState('reconnecting');
    else if (pc.connectionState === 'connected') this.#setState('connected');
    else if (this.state === 'connected' && ['disconnected', 'failed'].includes(pc.iceConnectionState)) this.#setState('interrupted');
  }

  _onConnectionLost(connection, error) {
    if (connection !== this._connection || !this.#joinedOnce || this.state === 'closed') return;
    if (isFinal(error)) return this.#close(error);
    this._emit('closing', { code: error.code, message: error.message, reconnect: true });
    if (this.#reconnecting) this.#setState('reconnecting');
    else this.#reconnect();
  }

  /** The server is being emptied: goes to another one, and stays here until that has worked. */
  #move(url) {
    if (url) this._options.url = url;
    if (!this.#reconnecting) this.#reconnect();
  }

  async #reconnect() {
    this.#reconnecting = true;
    const old = this._connection;
    if (old.closed) this.#setState('reconnecting');
    const deadline = performance.now() + RECONNECT_LIMIT_MS;
    this.#backoff.reset();
    while (this.state !== 'closed') {
      await this.#backoff.wait();
      if (this.state === 'closed') break;
      const next = new Connection(this);
      const before = this.publications.map((publication) => publication._rebind(next));
      try {
        const joined = next.join();
        next.negotiate();
        const message = await joined;
        if (this.state === 'closed') { next.close(); break; }
        this._connection = next;
        if (!old.closed) this.#setState('reconnecting');
        for (const participant of this.participants.values()) {
          for (const publication of participant.publications.values()) publication.track = null;
        }
        this.#enter(message);
        old.send({ type: 'leave' });
        old.close();
        break;
      } catch (error) {
        next.close();
        if (!old.closed) for (const restore of before) restore();
        if (isFinal(error) || performance.now() > deadline) { this.#close(error); break; }
      }
    }
    this.#reconnecting = false;
    if (this.state === 'closed') return;
    if (this._connection.closed) return this.#reconnect();
    this.#setState('connecting');
    this._updateState();
  }

  #onOnline = () => {
    if (this.#reconnecting) this.#backoff.wake();
    else this._connection?.onNetworkChange();
  };

  #onVisibility = () => {
    for (const slot of this._connection?.slots.all ?? []) if (slot.wanted) this._connection.slots.show(slot.wanted);
  };

  #onPageHide = ({ persisted }) => { if (!persisted) this._send({ type: 'leave' }); };

  /** Leaves the room and stops the tracks that the SDK opened. */
  async leave() {
    if (this.state === 'closed') return;
    this._send({ type: 'leave' });
    this.#close(null);
  }

  #close(error) {
    if (this.state === 'closed') return;
    this.#setState('closed');
    removeEventListener('online', this.#onOnline);
    removeEventListener('pagehide', this.#onPageHide);
    document.removeEventListener('visibilitychange', this.#onVisibility);
    this.#backoff.wake();
    this._stage.clear();
    for (const publication of this.publications) publication.stop();
    this.#sound.stop();
    this._connection?.close();
    this._encryption.close();
    this._emit('closed', { error: error ?? null });
  }

  /**
   * Why each slot shows what it shows: the way to this client as the server sees it, and the last
   * decisions with what they were decided by.
   */
  async explain() {
    const { network, slots } = await this.#joined().explain();
    return { network, slots };
  }

  /** What is received and sent now, condensed; rates and shares cover the time since the last call. */
  async getStats() {
    if (!this._connection || this.state === 'closed') return this.#stats.condense(new Map(), [], []);
    return this.#stats.condense(await this._connection.pc.getStats(), this._connection.slots.all, this.publications);
  }
}

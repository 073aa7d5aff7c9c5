// @ts-check
// What this client publishes.

import { preferCodecs } from './codecs.js';
import { PlenumError } from './errors.js';
import { planEncodings } from './layers.js';
import { deferred } from './promises.js';

const STOPPED = 'The publication was stopped. Publish again.';
const STANDARD_HINTS = { camera: 'motion', screen: 'detail' };

/** What the server is told to prefer where bandwidth is short: text is detail. */
function contentHint(track) {
  const hint = { motion: 'motion', detail: 'detail', text: 'detail' }[track?.contentHint];
  return hint ? { contentHint: hint } : {};
}

/** A track that this client publishes. */
export class LocalPublication {
  constructor(room, track, options) {
    /** @type {import('./room.js').Room} */ this._room = room;
    this._options = options;
    this._stream = new MediaStream();
    this._transceiver = null;
    this._ready = deferred();
    this._announcedMute = false;
    this._busy = Promise.resolve();
    /** Chosen since it began. @type {string|undefined} */ this._deviceId = undefined;
    /** @type {string|null} */ this.id = null;
    this.kind = track.kind;
    this.source = options.source ?? (track.kind === 'audio' ? 'microphone' : 'camera');
    this.name = options.name ?? '';
    this.muted = options.muted ?? false;
    this.stopped = false;
    this.trackId = track.id;
    this.#adopt(track);
  }

  #adopt(track) {
    this.track = track;
    track.enabled = !this.muted;
    const hint = this._options.contentHint ?? STANDARD_HINTS[this.source];
    if (hint && !track.contentHint) track.contentHint = hint;
    track.addEventListener('ended', () => { if (this.track === track) this.#onEnded(); });
    const { width, height } = track.getSettings?.() ?? {};
    if (this.kind === 'video') this._size = { width: width || this._size?.width || 640, height: height || this._size?.height || 360 };
  }

  #onEnded() {
    this.stop();
    // The browser has a button of its own to end sharing, which takes the sound along.
    if (this.source === 'screen') this._room.publication('screenAudio')?.stop();
    else if (this.source !== 'screenAudio') this._room._emit('error', new PlenumError('deviceLost'));
  }

  /** Adds the track to the connection; the next offer carries it. */
  _bind(connection) {
    const { _encryption: encryption } = this._room;
    const { codec = 'vp8' } = encryption.enabled ? {} : this._options; // see e2ee-frames.js
    const video = this.kind === 'video';
    if (video) this._encodings = planEncodings(this._size, { ...this._options, codec, source: this.source });
    const init = { direction: 'sendonly', streams: [this._stream], ...(video ? { sendEncodings: this._encodings } : {}) };
    try {
      this._transceiver = connection.pc.addTransceiver(this.track ?? this.kind, init);
    } catch {
      for (const encoding of this._encodings ?? []) delete encoding.scalabilityMode;
      this._transceiver = connection.pc.addTransceiver(this.track ?? this.kind, init);
    }
    preferCodecs(this._transceiver, RTCRtpSender, this.kind, video ? codec : 'opus', encryption.enabled);
    encryption.encrypt(this._transceiver.sender, this.kind);
    this._connection = connection;
    this.id = null;
  }

  /** Adds the track to another connection; returns how to take that back. */
  _rebind(connection) {
    const { _connection, _transceiver, id } = this;
    this._bind(connection);
    return () => Object.assign(this, { _connection, _transceiver, id });
  }

  /** What the offer tells about the m-line. */
  _describe() {
    this._announcedMute = this.muted;
    return {
      mid: this._transceiver.mid, trackId: this.trackId, source: this.source, muted: this.muted, encrypted: this._room.encrypted,
      ...(this.name ? { name: this.name } : {}),
      ...contentHint(this.track),
      layers: (this._encodings ?? []).map(({ rid, scaleResolutionDownBy, maxBitrate }) => ({
        ...(rid ? { rid } : {}),
        width: Math.round(this._size.width / scaleResolutionDownBy),
        height: Math.round(this._size.height / scaleResolutionDownBy),
        maxBitrate,
      })),
    };
  }

  /** The server has accepted the m-line. */
  _accept(id) {
    this.id = id;
    if (this._announcedMute !== this.muted) this._sendMute();
    this._ready.resolve(this);
  }

  /** The server has refused the m-line. */
  _refuse(error) {
    this.stopped = true;
    this._room._publications.delete(this);
    try { this._transceiver?.stop(); } catch { /* The connection is gone. */ }
    this._ready.reject(error);
  }

  _sendMute() {
    if (!this.id) return;
    this._announcedMute = this.muted;
    this._room._send({ type: 'mute', publication: this.id, muted: this.muted });
  }

  /** Stops sending; with `acquire` also gives the device back, so that its light goes out. */
  mute() {
    return this.#setMuted(true);
  }

  /** Sends again. */
  unmute() {
    return this.#setMuted(false);
  }

  #setMuted(muted) {
    const change = async () => {
      if (this.stopped || muted === this.muted) return;
      if (!muted && !this.track) await this.#exchange(await this._options.acquire(this._deviceId));
      this.muted = muted;
      if (this.track) this.track.enabled = !muted;
      this._sendMute();
      this._room._emit('localMuted', { publication: this, muted });
      if (muted && this._options.acquire && this.track) {
        const track = this.track;
        this.track = null;
        await this._transceiver?.sender.replaceTrack(null).catch(() => {});
        track.stop();
      }
    };
    return (this._busy = this._busy.catch(() => {}).then(change));
  }

  /** The server has muted or unmuted it. */
  _onServerMute(muted) {
    if (muted === this.muted) return;
    this.muted = this._announcedMute = muted;
    if (this.track) this.track.enabled = !muted;
    this._room._emit('localMuted', { publication: this, muted });
  }

  /** The server tells which encodings anybody wants: the others need not be made. */
  _onLayersWanted(layers) {
    if (this._options.adaptive === false) return;
    const change = async () => {
      const sender = this._transceiver?.sender;
      if (this.stopped || !sender) return;
      const parameters = sender.getParameters();
      let changed = false;
      for (const [index, encoding] of (parameters.encodings ?? []).entries()) {
        const layer = layers.find(({ rid }) => rid && rid === encoding.rid) ?? (layers.length === 1 ? layers[index] : null);
        if (!layer || encoding.active === layer.wanted) continue;
        encoding.active = layer.wanted;
        changed = true;
      }
      // What the browser refuses goes on as it was.
      if (changed) await sender.setParameters(parameters).catch(() => {});
    };
    this._busy = this._busy.catch(() => {}).then(change);
  }

  /** Sends another track in place of the present one; no negotiation is needed. */
  async replaceTrack(track) {
    if (this.stopped) throw new PlenumError('closed', STOPPED);
    const old = this.track;
    await this.#exchange(track);
    if (old && old !== track && this._options.acquire) old.stop();
  }

  /** Takes another camera or microphone; while muted, the next unmute opens it. */
  switchDevice(deviceId) {
    const change = async () => {
      const { open } = this._options;
      if (this.stopped) throw new PlenumError('closed', STOPPED);
      if (!open) throw new PlenumError('notPermitted', 'Only what publishCamera or publishMicrophone opened can be switched. Use replaceTrack with a track of your own.');
      const old = this.track;
      if (old) await this.#exchange(await open(deviceId));
      this._deviceId = deviceId;
      old?.stop();
    };
    return (this._busy = this._busy.catch(() => {}).then(change));
  }

  async #exchange(track) {
    if (this.stopped) { // while the device was being opened
      if (this.#owned) track.stop();
      throw new PlenumError('closed', STOPPED);
    }
    const before = this._size;
    this.#adopt(track);
    await this._transceiver?.sender.replaceTrack(track);
    if (before && (before.width !== this._size.width || before.height !== this._size.height)) this._connection?.negotiate();
  }

  /** Whether the track is the SDK's to stop. */
  get #owned() { return Boolean(this._options.acquire || this._options.own); }

  /** Ends the publication; a track that the SDK opened is stopped too. */
  stop() {
    if (this.stopped) return;
    this.stopped = true;
    this._room._publications.delete(this);
    this._ready.reject(new PlenumError('closed', STOPPED));
    if (this.#owned) this.track?.stop();
    try { this._transceiver?.stop(); } catch { /* The connection is gone. */ }
    this._connection?.negotiate();
    this._room._emit('localUnpublished', { publication: this });
  }
}

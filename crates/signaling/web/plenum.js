// @ts-check
/**
 * Plenum client SDK: one dependency-free ES module for browsers.
 *
 *   import { Room } from '/plenum.js';
 *   const room = await Room.join({ url: location.origin, token });
 *   room.on('published', ({ publication }) => room.attach(publication, videoElement));
 *   await room.publishCamera();
 *
 * How it works. One WebSocket and one RTCPeerConnection make a Connection; the client makes every
 * offer, one at a time. Pictures arrive on a pool of receive-only m-lines, the slots: attaching a
 * publication to a <video> pins a free slot to it and reports the size of the element, from which
 * the server chooses the layer. Sound arrives on slots that follow the active speakers and is
 * played by the SDK. When the connection is lost, a new one is made and everything that was
 * published or attached moves over. Types are in plenum.d.ts; members that begin with an
 * underscore are internal.
 */

/** Version of this module. */
export const VERSION = '0.1.0';

// ------------------------------------------------------------------------------------- tunables

/** Audio slots; more lets more people be heard at once. */
const AUDIO_SLOTS = 3;
/** Video slots are added in steps of this; more costs SDP size, fewer costs negotiations. */
const VIDEO_SLOT_STEP = 4;
/** How long the first offer waits for tracks that are still being opened, in ms. */
const PUBLISH_GRACE_MS = 30;
/** Size changes of elements are reported at most this often, in ms. */
const SIZE_REPORT_MS = 100;
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
/** First and longest wait between attempts to reconnect, in ms; doubled each time, with jitter. */
const BACKOFF_MS = [250, 5000];
/** After so long without a connection the room is closed, in ms. */
const RECONNECT_LIMIT_MS = 180_000;
/** A 720p picture at 30 frames/s gets this many bits/s; other sizes are scaled from it. */
const BITRATE_720P = 1_700_000;
/** Screens need sharp text: a floor of bits/s for their full layer. */
const SCREEN_BITRATE = 2_500_000;

// --------------------------------------------------------------------------------------- errors

/** Sentences for the codes that the client itself raises. */
const SENTENCES = {
  noCamera: 'No camera was found. Connect one, or join without video.',
  noMicrophone: 'No microphone was found. Connect one, or join without sound.',
  permissionDenied: 'The browser was not allowed to use the device. Allow it in the address bar and try again.',
  deviceBusy: 'The device is in use by another program. Close that program and try again.',
  deviceLost: 'The device was disconnected. Connect it again or choose another one.',
  serverUnreachable: 'The server cannot be reached. Check the network and try again.',
  mediaUnreachable: 'The server answers, but no media gets through. Allow UDP to the media ports of the server.',
  webrtcUnsupported: 'This browser cannot make calls here. Use a current browser over HTTPS.',
  connectionLost: 'The connection to the server was lost.',
  replaced: 'You joined this room from another tab or device.',
  removed: 'You were removed from the room.',
  roomClosed: 'The room was closed.',
  closed: 'The room has been left.',
};

/** Fatal refusals after which trying again later makes sense. */
const RETRY_CODES = ['serverFull', 'internal', 'tooManyMessages'];

/** An error with a stable code and a sentence that says what to do. */
export class PlenumError extends Error {
  /** @param {string} code @param {string} [message] @param {unknown} [cause] */
  constructor(code, message, cause) {
    super(message || SENTENCES[code] || code, { cause });
    this.name = 'PlenumError';
    this.code = code;
  }
}

/** @param {any} error @param {'camera'|'microphone'|'screen'} device */
function deviceError(error, device) {
  const none = device === 'microphone' ? 'noMicrophone' : 'noCamera';
  const codes = {
    NotAllowedError: 'permissionDenied', SecurityError: 'permissionDenied', NotFoundError: none,
    OverconstrainedError: none, NotReadableError: 'deviceBusy', AbortError: 'deviceBusy',
  };
  const code = codes[error?.name] ?? (error instanceof TypeError ? 'webrtcUnsupported' : 'deviceBusy');
  return new PlenumError(code, '', error);
}

// --------------------------------------------------------------------------------------- events

/** Minimal event emitter: `on` returns a function that ends the subscription. */
class Emitter {
  #listeners = new Map();

  on(event, listener) {
    const set = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, set.add(listener));
    return () => this.off(event, listener);
  }

  once(event, listener) {
    const off = this.on(event, (detail) => { off(); listener(detail); });
    return off;
  }

  off(event, listener) {
    this.#listeners.get(event)?.delete(listener);
  }

  _emit(event, detail) {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try { listener(detail); } catch (error) { reportError(error); }
    }
  }
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A promise with its ends; a rejection that nobody awaits is not reported as unhandled. */
function deferred() {
  let resolve, reject;
  const promise = new Promise((yes, no) => { resolve = yes; reject = no; });
  promise.catch(() => {});
  return { promise, resolve, reject };
}

// -------------------------------------------------------------------------------------- devices

/** Opens a camera. @param {import('./plenum.js').CameraOptions} options */
export async function openCamera({ deviceId, width = 1280, height = 720, frameRate = 30, facingMode } = {}) {
  const video = {
    width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: frameRate },
    ...(deviceId ? { deviceId: { exact: deviceId } } : facingMode ? { facingMode } : {}),
  };
  return (await openDevice('camera', { video })).getVideoTracks()[0];
}

/** Opens a microphone. @param {import('./plenum.js').MicrophoneOptions} options */
export async function openMicrophone({ deviceId, echoCancellation = true, noiseSuppression = true, autoGainControl = true } = {}) {
  const audio = {
    echoCancellation, noiseSuppression, autoGainControl,
    ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
  };
  return (await openDevice('microphone', { audio })).getAudioTracks()[0];
}

/** @param {'camera'|'microphone'|'screen'} device @param {any} constraints */
async function openDevice(device, constraints) {
  const devices = globalThis.navigator?.mediaDevices;
  if (!devices) throw new PlenumError('webrtcUnsupported');
  try {
    return device === 'screen' ? await devices.getDisplayMedia(constraints) : await devices.getUserMedia(constraints);
  } catch (error) {
    throw deviceError(error, device);
  }
}

// ---------------------------------------------------------------------------- codecs and layers

/** Codecs in the order wanted, without those that only make the SDP longer. */
function orderedCodecs(capabilities, preferred) {
  const wanted = (codec) => {
    const name = codec.mimeType.toLowerCase().split('/')[1];
    const fmtp = codec.sdpFmtpLine ?? '';
    if (name === 'vp9') return !/profile-id=[1-9]/.test(fmtp);
    if (name === 'h264') return /packetization-mode=1/.test(fmtp);
    if (name === 'av1') return !/profile=[1-9]/.test(fmtp);
    return ['vp8', 'rtx', 'opus'].includes(name);
  };
  const first = (codec) => codec.mimeType.toLowerCase().endsWith('/' + preferred);
  const codecs = (capabilities?.codecs ?? []).filter(wanted);
  return [...codecs.filter(first), ...codecs.filter((codec) => !first(codec))];
}

function preferCodecs(transceiver, side, kind, preferred) {
  try {
    transceiver.setCodecPreferences(orderedCodecs(side.getCapabilities(kind), preferred));
  } catch { /* An older browser: its own order does as well. */ }
}

/** Bits per second that a picture of this size deserves. */
function bitrateFor(width, height) {
  return Math.round(BITRATE_720P * ((width * height) / (1280 * 720)) ** 0.87);
}

/**
 * Encodings for a picture, smallest first. The number follows what browsers accept to encode:
 * three from 960x540, two from 480x270, one below.
 */
export function planEncodings({ width = 640, height = 360 } = {}, options = {}) {
  const { source = 'camera', simulcast = true, codec = 'vp8', maxBitrate, maxFramerate } = options;
  const screen = source === 'screen';
  const pixels = width * height;
  const fit = screen ? (pixels >= 960 * 540 ? 2 : 1) : pixels >= 960 * 540 ? 3 : pixels >= 480 * 270 ? 2 : 1;
  const count = simulcast ? Math.min(fit, options.layers ?? 3) : 1;
  const top = maxBitrate ?? Math.max(bitrateFor(width, height), screen ? SCREEN_BITRATE : 0);
  return Array.from({ length: count }, (_, index) => {
    const scale = 2 ** (count - 1 - index);
    const bitrate = scale === 1 ? top : Math.min(top, bitrateFor(width / scale, height / scale) * (screen ? 2 : 1));
    return {
      ...(count > 1 ? { rid: 'qhf'[index] } : {}),
      scaleResolutionDownBy: scale,
      maxBitrate: bitrate,
      ...(maxFramerate ? { maxFramerate } : {}),
      ...(codec === 'h264' ? {} : { scalabilityMode: options.scalabilityMode ?? (screen ? 'L1T1' : 'L1T3') }),
    };
  });
}

// ------------------------------------------------------------------------------ local publication

const STANDARD_HINTS = { camera: 'motion', screen: 'detail' };

/** A track that this client publishes. */
export class LocalPublication {
  constructor(room, track, options) {
    /** @type {Room} */ this._room = room;
    this._options = options;
    this._stream = new MediaStream();
    this._transceiver = null;
    this._ready = deferred();
    this._announcedMute = false;
    this._busy = Promise.resolve();
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
    if (this.source !== 'screen' && this.source !== 'screenAudio') this._room._emit('error', new PlenumError('deviceLost'));
  }

  /** Adds the track to the connection; the next offer carries it. */
  _bind(connection) {
    const { codec = 'vp8' } = this._options;
    const video = this.kind === 'video';
    if (video) this._encodings = planEncodings(this._size, { ...this._options, source: this.source });
    const init = { direction: 'sendonly', streams: [this._stream], ...(video ? { sendEncodings: this._encodings } : {}) };
    try {
      this._transceiver = connection.pc.addTransceiver(this.track ?? this.kind, init);
    } catch {
      for (const encoding of this._encodings ?? []) delete encoding.scalabilityMode;
      this._transceiver = connection.pc.addTransceiver(this.track ?? this.kind, init);
    }
    preferCodecs(this._transceiver, RTCRtpSender, this.kind, video ? codec : 'opus');
    this._connection = connection;
    this.id = null;
  }

  /** What the offer tells about the m-line. */
  _describe() {
    this._announcedMute = this.muted;
    return {
      mid: this._transceiver.mid, trackId: this.trackId, source: this.source, muted: this.muted,
      ...(this.name ? { name: this.name } : {}),
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
      if (!muted && !this.track) await this.#exchange(await this._options.acquire());
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

  /** Sends another track in place of the present one; no negotiation is needed. */
  async replaceTrack(track) {
    const old = this.track;
    await this.#exchange(track);
    if (old && old !== track && this._options.acquire) old.stop();
  }

  async #exchange(track) {
    const before = this._size;
    this.#adopt(track);
    await this._transceiver?.sender.replaceTrack(track);
    if (before && (before.width !== this._size.width || before.height !== this._size.height)) this._connection?.negotiate();
  }

  /** Ends the publication; a track that the SDK opened is stopped too. */
  stop() {
    if (this.stopped) return;
    this.stopped = true;
    this._room._publications.delete(this);
    this._ready.reject(new PlenumError('closed', 'The publication was stopped.'));
    if (this._options.acquire || this._options.own) this.track?.stop();
    try { this._transceiver?.stop(); } catch { /* The connection is gone. */ }
    this._connection?.negotiate();
    this._room._emit('localUnpublished', { publication: this });
  }
}

// -------------------------------------------------------------------------- remote participants

/** A track that somebody else publishes. */
export class RemotePublication {
  constructor(participant, info) {
    this.participant = participant;
    this._views = new Map();
    this.id = info.id;
    /** The track that carries it now, if a slot does. @type {MediaStreamTrack|null} */
    this.track = null;
    this._update(info);
  }

  _update({ trackId, kind, source, name = '', muted = false, layers = [], codec = '' }) {
    this.trackId = trackId;
    this.kind = kind;
    this.source = source;
    this.name = name;
    this.muted = muted;
    this.layers = layers;
    this.codec = codec;
  }

  /** Largest of the sizes at which it is shown, in device pixels. */
  _viewport() {
    let best = { width: 0, height: 0 };
    for (const view of this._views.values()) {
      const size = view.size();
      if (size.width * size.height > best.width * best.height) best = size;
    }
    return best;
  }

  _show(track) {
    if (this.track === track) return;
    this.track = track;
    for (const element of this._views.keys()) showIn(element, track);
  }
}

/** Somebody else in the room. */
export class RemoteParticipant {
  constructor(info) {
    this.id = info.id;
    /** @type {Map<string, RemotePublication>} */ this.publications = new Map();
    this._update(info);
  }

  _update({ identity, name, metadata = '' }) {
    this.identity = identity;
    this.name = name || identity;
    this.metadata = metadata;
  }

  /** The publication of a source, if any. @param {string} source */
  publication(source) {
    return [...this.publications.values()].find((publication) => publication.source === source) ?? null;
  }
}

// ----------------------------------------------------------------------------------------- views

function showIn(element, track) {
  element.srcObject = track ? new MediaStream([track]) : null;
  if (track) element.play?.().catch(() => { /* Autoplay is refused until the user touches the page. */ });
}

/** Watches the size and visibility of an element. */
class View {
  #visible = true;

  constructor(element, onChange) {
    this.element = element;
    this.resize = new ResizeObserver(onChange);
    try { this.resize.observe(element, { box: 'device-pixel-content-box' }); } catch { this.resize.observe(element); }
    this.intersection = new IntersectionObserver((entries) => {
      this.#visible = entries[entries.length - 1].isIntersecting;
      onChange();
    });
    this.intersection.observe(element);
  }

  /** Device pixels; nothing while it cannot be seen. */
  size() {
    const { element } = this;
    const floating = document.pictureInPictureElement === element;
    if (!floating && (!this.#visible || document.hidden)) return { width: 0, height: 0 };
    const ratio = globalThis.devicePixelRatio || 1;
    return { width: Math.round(element.clientWidth * ratio), height: Math.round(element.clientHeight * ratio) };
  }

  stop() {
    this.resize.disconnect();
    this.intersection.disconnect();
  }
}

// ----------------------------------------------------------------------------------------- slots

/** One receive-only m-line. */
class Slot {
  constructor(kind, transceiver) {
    this.kind = kind;
    this.transceiver = transceiver;
    this.track = transceiver.receiver.track;
    this.policy = kind === 'audio' ? 'speaker' : 'off';
    /** @type {RemotePublication|null} */ this.wanted = null;
    this.viewport = null;
    this.announced = false;
    this.releasedAt = 0; // 0: never used, so no old picture can appear in it
    this.binding = { publication: null, participant: null, layer: null, reason: 'off' };
    this.told = null; // the last message about it
  }

  get mid() { return this.transceiver.mid; }

  describe() {
    const { mid, kind, policy, wanted, viewport } = this;
    return {
      mid, kind, policy,
      ...(wanted ? { publication: wanted.id, priority: wanted.source === 'screen' ? 2 : 1 } : {}),
      ...(wanted && viewport ? viewport : {}),
    };
  }
}

/** The slots of one connection and what they are wished to show. */
class SlotPool {
  #slots = [];
  #dirty = new Set();
  #timer = null;

  constructor(connection) {
    this.connection = connection;
    this.#grow('audio', AUDIO_SLOTS);
    this.#grow('video', VIDEO_SLOT_STEP);
  }

  #grow(kind, count) {
    for (let i = 0; i < count; i += 1) {
      const transceiver = this.connection.pc.addTransceiver(kind, { direction: 'recvonly' });
      preferCodecs(transceiver, RTCRtpReceiver, kind, kind === 'audio' ? 'opus' : 'vp8');
      this.#slots.push(new Slot(kind, transceiver));
    }
  }

  get all() { return this.#slots; }

  byMid(mid) { return this.#slots.find((slot) => slot.mid === mid); }

  of(publication) { return this.#slots.find((slot) => slot.wanted === publication); }

  /** Gives the publication a slot, if it has none, and reports its size. */
  show(publication) {
    let slot = this.of(publication) ?? this.#free();
    if (!slot) {
      const limit = this.connection.limits?.slots ?? Infinity;
      if (this.#slots.length + VIDEO_SLOT_STEP > limit) throw new PlenumError('tooManySlots', 'No more pictures can be shown at once. Detach one first.');
      this.#grow('video', VIDEO_SLOT_STEP);
      this.connection.negotiate();
      slot = this.#free();
    }
    const viewport = publication._viewport();
    if (slot.wanted === publication) {
      if (slot.viewport?.width === viewport.width && slot.viewport?.height === viewport.height) return;
      slot.viewport = viewport;
      return this.#flushSoon(slot, SIZE_REPORT_MS);
    }
    Object.assign(slot, { wanted: publication, policy: 'pinned', viewport });
    if (!slot.releasedAt) publication._show(slot.track);
    this.#flushSoon(slot, 0);
  }

  /** Takes the slot away from a publication. */
  release(publication) {
    const slot = this.of(publication);
    publication._show(null);
    if (!slot) return;
    Object.assign(slot, { wanted: null, policy: 'off', viewport: null, releasedAt: performance.now() });
    this.#flushSoon(slot, 0);
  }

  #free() {
    return this.#slots.filter((slot) => slot.kind === 'video' && !slot.wanted).sort((a, b) => a.releasedAt - b.releasedAt)[0];
  }

  /** Metadata for an offer; from now on changes are sent as messages. */
  describe() {
    const known = this.#slots.filter((slot) => slot.mid !== null);
    for (const slot of known) slot.announced = true;
    return known.map((slot) => slot.describe());
  }

  /** The server has refused the newest slots. */
  dropUnannounced() {
    const gone = this.#slots.filter((slot) => !slot.transceiver.currentDirection);
    this.#slots = this.#slots.filter((slot) => !gone.includes(slot));
    for (const slot of gone) {
      slot.wanted?._show(null);
      try { slot.transceiver.stop(); } catch { /* Already stopped. */ }
    }
  }

  #flushSoon(slot, delay) {
    this.#dirty.add(slot);
    if (!delay) queueMicrotask(() => this.#flush());
    else this.#timer ??= setTimeout(() => this.#flush(), delay);
  }

  #flush() {
    clearTimeout(this.#timer);
    this.#timer = null;
    const slots = [...this.#dirty].filter((slot) => slot.announced).map((slot) => slot.describe());
    this.#dirty.clear();
    if (slots.length) this.connection.send({ type: 'slots', slots });
  }
}

// ------------------------------------------------------------------------------------ connection

/** The WebSocket address of a server. */
function socketUrl(url) {
  const address = new URL(url || location.origin, location.href);
  address.protocol = address.protocol.replace(/^http/, 'ws');
  if (!address.pathname.endsWith('/v1/ws')) address.pathname = address.pathname.replace(/\/*$/, '/v1/ws');
  return address.href;
}

/** One WebSocket with one peer connection. It ends as a whole and is never reused. */
class Connection {
  #socket = null;
  #opened = deferred();
  #joined = deferred();
  #answers = new Map();
  #offers = 0;
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
    for (const answer of this.#answers.values()) answer.reject(error);
    this.room._onConnectionLost(this, error);
  }

  close() {
    this.fail(new PlenumError('closed'));
    this.pc.close();
  }
}

/** What a close code means if no message explained it. */
function closeError(code, reason) {
  const codes = { 4401: 'tokenInvalid', 4403: 'notPermitted', 4409: 'replaced', 4410: 'removed', 4503: 'roomFull' };
  return new PlenumError(codes[code] ?? (code === 1006 ? 'serverUnreachable' : 'connectionLost'), codes[code] && reason);
}

const isFinal = (error) => !['serverUnreachable', 'mediaUnreachable', 'connectionLost', ...RETRY_CODES].includes(error.code);

// ------------------------------------------------------------------------------------------ room

/** A room that this client is in. */
export class Room extends Emitter {
  #connection = null;
  #reconnecting = false;
  #wake = null;
  #players = [];
  #sinkId = '';
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
    /** @type {Set<LocalPublication>} */ this._publications = new Set();
    this._previousStats = new Map();
    /** @type {Map<string, RemoteParticipant>} */ this.participants = new Map();
    this.local = { id: '', identity: '', name: options.name ?? '', metadata: '' };
    this.state = 'idle';
    this.speakers = [];
    this.audioBlocked = false;
  }

  /** What this client publishes. */
  get publications() { return [...this._publications]; }

  /** The own publication of a source, if any. @param {string} source */
  publication(source) { return this.publications.find((publication) => publication.source === source) ?? null; }

  async join() {
    if (this.state !== 'idle') throw new PlenumError('alreadyJoined', 'This room was joined before. Make a new Room.');
    this.#setState('connecting');
    try {
      this.#connection = new Connection(this);
      const joined = this.#connection.join(this._options.token);
      this.#offerFirst(this.#connection);
      this.#enter(await joined);
    } catch (error) {
      this.#close(error);
      throw error;
    }
    addEventListener('online', this.#onOnline);
    addEventListener('pagehide', this.#onPageHide);
    document.addEventListener('visibilitychange', this.#onVisibility);
  }

  /** Makes the first offer as soon as the tracks to publish are there, or without the late ones. */
  async #offerFirst(connection) {
    const wanted = (this._options.publish ?? []).map(async (entry) => {
      try {
        const { track, ...options } = await entry;
        this.publish(track, options).catch((error) => { if (error.code !== 'closed') this._emit('error', error); });
      } catch (error) { this._emit('error', error); }
    });
    if (wanted.length) await Promise.race([Promise.all(wanted), sleep(PUBLISH_GRACE_MS)]);
    connection.negotiate();
  }

  #enter({ participant, room, participants, limits, grants }) {
    const again = this.#joinedOnce;
    this.#joinedOnce = true;
    Object.assign(this, { local: participant, id: room.id, name: room.name, limits, grants });
    this.#syncParticipants(participants, again);
    if (this._options.playAudio !== false) this.#play(this.#connection.slots.all.filter((slot) => slot.kind === 'audio'));
    this._updateState();
  }

  // ---- people and publications

  /** Brings the list of others up to date, after a join or a rejoin. */
  #syncParticipants(infos, announce) {
    for (const known of [...this.participants.values()]) {
      const same = infos.find((info) => info.id === known.id && info.identity === known.identity);
      if (!same) this.#removeParticipant(known.id, 'connectionLost');
    }
    for (const info of infos) this.#updateParticipant(info, announce);
  }

  #updateParticipant(info, announce = true) {
    if (info.id === this.local.id) return;
    const known = this.participants.get(info.id);
    const participant = known ?? new RemoteParticipant(info);
    this.participants.set(info.id, participant);
    participant._update(info);
    if (!known && announce) this._emit('participantJoined', { participant });
    for (const publication of [...participant.publications.values()]) {
      const same = info.publications.find((p) => p.id === publication.id && p.trackId === publication.trackId);
      if (!same) this.#removePublication(participant, publication.id);
    }
    for (const publication of info.publications) this.#updatePublication(participant, publication, announce);
  }

  #updatePublication(participant, info, announce = true) {
    const known = participant.publications.get(info.id);
    const publication = known ?? new RemotePublication(participant, info);
    const wasMuted = publication.muted;
    publication._update(info);
    participant.publications.set(info.id, publication);
    if (!known && announce) this._emit('published', { participant, publication });
    if (known && wasMuted !== publication.muted) this._emit('muted', { participant, publication, muted: publication.muted });
    if (publication._views.size) this.#connection.slots.show(publication);
    // The media plane may have told about a slot before the room told about the publication.
    const early = known ? null : this.#connection.slots.all.find((slot) => slot.told?.publication === info.id);
    if (early) this.#onSlotChanged(early.told);
  }

  #removePublication(participant, id) {
    const publication = participant?.publications.get(id);
    if (!publication) return;
    participant.publications.delete(id);
    for (const element of [...publication._views.keys()]) this.#detachFrom(publication, element);
    this._emit('unpublished', { participant, publication });
  }

  #removeParticipant(id, reason) {
    const participant = this.participants.get(id);
    if (!participant) return;
    for (const publication of [...participant.publications.keys()]) this.#removePublication(participant, publication);
    this.participants.delete(id);
    this._emit('participantLeft', { participant, reason });
  }

  _onMessage(message, connection) {
    if (connection !== this.#connection) return;
    const participant = this.participants.get(message.participant);
    switch (message.type) {
      case 'participantJoined': return this.#updateParticipant(message.participant);
      case 'participantLeft': return this.#removeParticipant(message.id, message.reason);
      case 'published': return participant && this.#updatePublication(participant, message.publication);
      case 'unpublished': return this.#onUnpublished(participant, message);
      case 'muted': return this.#onMuted(participant, message);
      case 'slotChanged': return this.#onSlotChanged(message);
      case 'speakers': return this.#onSpeakers(message.speakers);
    }
  }

  #onUnpublished(participant, { publication }) {
    if (participant) return this.#removePublication(participant, publication);
    this.publications.find((p) => p.id === publication)?.stop();
  }

  #onMuted(participant, { publication: id, muted }) {
    const publication = participant?.publications.get(id);
    if (!publication) return this.publications.find((p) => p.id === id)?._onServerMute(muted);
    publication.muted = muted;
    this._emit('muted', { participant, publication, muted });
  }

  #onSpeakers(speakers) {
    const who = (id) => (id === this.local.id ? this.local : this.participants.get(id));
    this.speakers = speakers.map((s) => ({ ...s, participant: who(s.participant) })).filter((s) => s.participant);
    this._emit('speakers', { speakers: this.speakers });
  }

  #onSlotChanged(message) {
    const { mid, publication: id, participant: owner, layer, reason } = message;
    const slot = this.#connection.slots.byMid(mid);
    if (!slot) return;
    slot.told = message;
    const before = slot.binding.publication;
    const participant = this.participants.get(owner) ?? null;
    const publication = participant?.publications.get(id) ?? null;
    slot.binding = { publication, participant, layer: layer ?? null, reason };
    if (before !== publication) {
      if (before?.track === slot.track) {
        before._show(null);
        this._emit('trackDetached', { mid, publication: before, participant: before.participant, track: slot.track });
      }
      if (publication && (slot.kind === 'audio' || slot.wanted === publication)) {
        publication._show(slot.track);
        this._emit('trackAttached', { mid, publication, participant, track: slot.track });
      }
    }
    this._emit('slotChanged', { mid, kind: slot.kind, ...slot.binding });
  }

  // ---- publishing

  /** Publishes a track; resolves when the server has accepted it. */
  publish(track, options = {}) {
    if (this.state === 'closed') return Promise.reject(new PlenumError('closed'));
    const publication = new LocalPublication(this, track, options);
    this._publications.add(publication);
    if (this.#connection) {
      publication._bind(this.#connection);
      if (this.#connection.offering) this.#connection.negotiate(); // else the first offer carries it
    }
    this._emit('localPublished', { publication });
    return publication._ready.promise;
  }

  /** Opens a camera and publishes it. */
  async publishCamera(options = {}) {
    const acquire = () => openCamera(options);
    return this.publish(options.track ?? await acquire(), { source: 'camera', acquire, ...options });
  }

  /** Opens a microphone and publishes it. */
  async publishMicrophone(options = {}) {
    return this.publish(options.track ?? await openMicrophone(options), { source: 'microphone', own: true, ...options });
  }

  /** Asks for a screen or window and publishes it, with its sound if there is any. */
  async publishScreen({ audio = false, frameRate = 15, ...options } = {}) {
    const stream = await openDevice('screen', { video: { frameRate: { ideal: frameRate } }, audio });
    const [sound] = stream.getAudioTracks();
    const screen = this.publish(stream.getVideoTracks()[0], { own: true, ...options, source: 'screen' });
    const screenAudio = sound ? this.publish(sound, { own: true, source: 'screenAudio' }) : null;
    return { screen: await screen, screenAudio: await screenAudio };
  }

  // ---- showing and playing

  /**
   * Shows a publication, own or remote, in a <video> and lets the size of the element choose the
   * layer. Returns a function that detaches it. A hidden element costs no bandwidth.
   */
  attach(publication, element) {
    this.detach(element);
    if (publication instanceof LocalPublication) {
      element.muted = true;
      showIn(element, publication.track);
    } else {
      if (publication.kind !== 'video') throw new PlenumError('notPermitted', 'Only video can be attached; sound plays by itself.');
      const show = () => { if (this.#connection && publication._views.size) this.#connection.slots.show(publication); };
      publication._views.set(element, new View(element, show));
      show();
      if (publication.track) showIn(element, publication.track);
    }
    return () => this.detach(element);
  }

  /** Stops showing anything in an element. */
  detach(element) {
    for (const participant of this.participants.values()) {
      for (const publication of participant.publications.values()) this.#detachFrom(publication, element);
    }
    if (element.srcObject) element.srcObject = null;
  }

  #detachFrom(publication, element) {
    const view = publication._views.get(element);
    if (!view) return;
    view.stop();
    publication._views.delete(element);
    element.srcObject = null;
    if (publication._views.size) this.#connection?.slots.show(publication);
    else this.#connection?.slots.release(publication);
  }

  #play(slots) {
    for (const player of this.#players) player.srcObject = null;
    this.#players = slots.map((slot) => {
      const player = new Audio();
      if (this.#sinkId) player.setSinkId?.(this.#sinkId).catch(() => {});
      player.srcObject = new MediaStream([slot.track]);
      return player;
    });
    return this.startAudio();
  }

  /** Plays the sound of the others; call it from a click after the event `audioBlocked`. */
  async startAudio() {
    const results = await Promise.allSettled(this.#players.map((player) => player.play()));
    const blocked = results.some((result) => result.status === 'rejected' && result.reason?.name === 'NotAllowedError');
    if (blocked !== this.audioBlocked) {
      this.audioBlocked = blocked;
      this._emit('audioBlocked', { blocked });
    }
  }

  /** Chooses the loudspeaker, where the browser can. */
  async setSpeaker(deviceId) {
    this.#sinkId = deviceId;
    await Promise.all(this.#players.map((player) => player.setSinkId?.(deviceId)));
  }

  // ---- connection

  _send(message) { this.#connection?.send(message); }

  #setState(state) {
    if (this.state === state) return;
    this.state = state;
    this._emit('connectionState', { state });
  }

  _updateState() {
    if (this.state === 'closed' || this.#reconnecting || !this.#joinedOnce) return;
    const { pc } = this.#connection;
    if (pc.connectionState === 'connected') this.#setState('connected');
    else if (this.state === 'connected' && ['disconnected', 'failed'].includes(pc.iceConnectionState)) this.#setState('interrupted');
  }

  _onConnectionLost(connection, error) {
    if (connection !== this.#connection || !this.#joinedOnce || this.state === 'closed') return;
    if (isFinal(error)) return this.#close(error);
    this._emit('closing', { code: error.code, message: error.message, reconnect: true });
    if (!this.#reconnecting) this.#reconnect();
  }

  async #reconnect() {
    this.#reconnecting = true;
    this.#setState('reconnecting');
    const old = this.#connection;
    const deadline = performance.now() + RECONNECT_LIMIT_MS;
    for (let wait = BACKOFF_MS[0]; this.state !== 'closed'; wait = Math.min(wait * 2, BACKOFF_MS[1])) {
      await Promise.race([sleep(wait * (0.5 + Math.random())), new Promise((wake) => { this.#wake = wake; })]);
      if (this.state === 'closed') break;
      const next = new Connection(this);
      for (const publication of this._publications) publication._bind(next);
      try {
        const joined = next.join(this._options.token);
        next.negotiate();
        const message = await joined;
        if (this.state === 'closed') { next.close(); break; }
        this.#connection = next;
        for (const participant of this.participants.values()) {
          for (const publication of participant.publications.values()) publication.track = null;
        }
        this.#enter(message);
        old.close();
        break;
      } catch (error) {
        next.close();
        if (isFinal(error) || performance.now() > deadline) { this.#close(error); break; }
      }
    }
    this.#reconnecting = false;
    if (this.state === 'closed') return;
    if (this.#connection.closed) return this.#reconnect();
    this.#setState('connecting');
    this._updateState();
  }

  #onOnline = () => {
    if (this.#reconnecting) this.#wake?.();
    else if (this.#connection && !this.#connection.connected) this.#connection.restartIce();
  };

  #onVisibility = () => {
    for (const slot of this.#connection?.slots.all ?? []) if (slot.wanted) this.#connection.slots.show(slot.wanted);
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
    this.#wake?.();
    for (const participant of this.participants.values()) {
      for (const publication of participant.publications.values()) {
        for (const element of [...publication._views.keys()]) this.#detachFrom(publication, element);
      }
    }
    for (const publication of this.publications) publication.stop();
    for (const player of this.#players) player.srcObject = null;
    this.#connection?.close();
    this._emit('closed', { error: error ?? null });
  }

  /** What is received and sent now, condensed; rates cover the time since the last call. */
  async getStats() {
    if (!this.#connection || this.state === 'closed') return { rtt: null, slots: [], publications: [] };
    return condense(await this.#connection.pc.getStats(), this.#connection.slots.all, this.publications, this._previousStats);
  }
}

// ----------------------------------------------------------------------------------------- stats

const milliseconds = (seconds) => (seconds === undefined ? null : Math.round(seconds * 1000));

/** Bits per second since the previous report, or null at the first. */
function bitrateOf(report, bytes, previous) {
  const before = previous.get(report.id);
  previous.set(report.id, { at: report.timestamp, bytes });
  if (!before || report.timestamp <= before.at) return null;
  return Math.max(0, Math.round(((bytes - before.bytes) * 8000) / (report.timestamp - before.at)));
}

function condense(reports, slots, publications, previous) {
  const all = [...reports.values()];
  const pair = all.find((r) => r.type === 'candidate-pair' && r.nominated && r.state === 'succeeded');
  const codecOf = (report) => reports.get(report?.codecId)?.mimeType?.split('/')[1]?.toLowerCase() ?? null;
  const loss = (r) => (r?.packetsReceived ? Math.max(0, r.packetsLost) / (r.packetsReceived + Math.max(0, r.packetsLost)) : 0);
  return {
    rtt: milliseconds(pair?.currentRoundTripTime),
    availableOutgoing: pair?.availableOutgoingBitrate ?? null,
    slots: slots.map((slot) => {
      const r = all.find((report) => report.type === 'inbound-rtp' && report.mid === slot.mid);
      const { publication, participant, layer, reason } = slot.binding;
      return {
        mid: slot.mid, kind: slot.kind, publication: publication?.id ?? null, participant: participant?.id ?? null, layer, reason,
        codec: codecOf(r), width: r?.frameWidth ?? null, height: r?.frameHeight ?? null, fps: r?.framesPerSecond ?? null,
        bitrate: r ? bitrateOf(r, r.bytesReceived, previous) : null,
        loss: loss(r), jitter: milliseconds(r?.jitter), rtt: milliseconds(pair?.currentRoundTripTime),
        framesDecoded: r?.framesDecoded ?? 0, freezes: r?.freezeCount ?? 0,
        audioLevel: r?.audioLevel ?? null, audioEnergy: r?.totalAudioEnergy ?? 0,
      };
    }),
    publications: publications.map((publication) => ({
      publication: publication.id, source: publication.source, kind: publication.kind, muted: publication.muted,
      encodings: all.filter((r) => r.type === 'outbound-rtp' && r.mid !== undefined && r.mid === publication._transceiver?.mid)
        .map((r) => {
          const remote = reports.get(r.remoteId);
          return {
            rid: r.rid ?? null, codec: codecOf(r), active: r.active ?? true, width: r.frameWidth ?? null, height: r.frameHeight ?? null,
            fps: r.framesPerSecond ?? null, bitrate: bitrateOf(r, r.bytesSent, previous), targetBitrate: r.targetBitrate ?? null,
            limitedBy: r.qualityLimitationReason ?? null, loss: remote?.fractionLost ?? null, rtt: milliseconds(remote?.roundTripTime),
          };
        })
        .sort((a, b) => (a.width ?? 0) - (b.width ?? 0)),
    })),
  };
}

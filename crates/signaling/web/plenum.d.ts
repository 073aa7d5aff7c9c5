/** Types of the Plenum client SDK (plenum.js). */

/** Version of the SDK; it is that of the server that it came with. */
export declare const VERSION: string;

export type Source = 'camera' | 'microphone' | 'screen' | 'screenAudio';
export type Codec = 'vp8' | 'vp9' | 'h264' | 'av1';
/**
 * `interrupted`: nothing gets through to the server for the moment. `reconnecting`: the WebSocket is
 * being made anew while media goes on, or, if that fails, the whole connection.
 */
export type ConnectionState = 'idle' | 'connecting' | 'connected' | 'interrupted' | 'reconnecting' | 'closed';

/** Why a slot shows what it shows. */
export type SlotReason =
  | 'best' | 'limited' | 'viewport' | 'bandwidth' | 'layerInactive' | 'waitingForKeyframe' | 'muted'
  | 'notVisible' | 'noSource' | 'off' | 'codecNotNegotiated';

/** Codes that the client itself raises; those of the server are listed in PROTOCOL.md. */
export type ClientErrorCode =
  /** There is no such device. */
  | 'noCamera' | 'noMicrophone' | 'noScreen' | 'noSpeaker'
  /** The user or the browser said no. */
  | 'permissionDenied'
  /** Another program has the device, or it was unplugged. */
  | 'deviceBusy' | 'deviceLost'
  /** `url` is no address, or one that an HTTPS page may not reach. */
  | 'urlInvalid'
  /** The function `token` failed; the cause is what it threw. */
  | 'tokenUnavailable'
  /** The WebSocket does not open; it opens, but no media gets through. */
  | 'serverUnreachable' | 'mediaUnreachable'
  /** No WebRTC here: an old browser, or a page without HTTPS. */
  | 'webrtcUnsupported'
  /** Lost; the SDK tries again by itself for three minutes. */
  | 'connectionLost'
  /** By `RoomOptions.signal`. */
  | 'aborted'
  /** Before `join()`; after `leave()` or the end of the room. */
  | 'notJoined' | 'closed'
  /** The browser has no encoded transforms, or the SDK's worker did not load. */
  | 'encryptionUnsupported'
  /** Data messages come faster than the network takes them. */
  | 'bufferFull'
  /** Nobody in the room has this identity. */
  | 'unknownParticipant';

/** Codes of the server that an app meets; PROTOCOL.md lists them all. */
export type ServerErrorCode =
  | 'tokenMissing' | 'tokenInvalid' | 'tokenExpired' | 'tokenNotYetValid' | 'notPermitted' | 'wrongRoom'
  | 'roomFull' | 'serverFull' | 'draining' | 'tooLarge' | 'tooManyMessages' | 'tooManyPublications' | 'tooManySlots'
  | 'alreadyJoined' | 'replaced' | 'removed' | 'roomClosed' | 'internal';

/** What `PlenumError.code` may be. */
export type ErrorCode = ClientErrorCode | ServerErrorCode | (string & {});

/** An error with a stable code and a sentence that says what to do. */
export declare class PlenumError extends Error {
  constructor(code: ErrorCode, message?: string, cause?: unknown);
  /** Never changes its meaning; switch on it. */
  readonly code: ErrorCode;
  /** What the browser said, if it did. */
  readonly cause?: unknown;
}

export interface CameraOptions {
  deviceId?: string;
  facingMode?: 'user' | 'environment';
  /** Wanted size and rate; 1280 x 720 at 30 frames/s if left out. */
  width?: number;
  height?: number;
  frameRate?: number;
}

export interface MicrophoneOptions {
  deviceId?: string;
  echoCancellation?: boolean;
  noiseSuppression?: boolean;
  autoGainControl?: boolean;
}

export interface Device {
  readonly deviceId: string;
  /** Empty until the user has allowed a device of the kind. */
  readonly label: string;
}

export interface DeviceList {
  cameras: Device[];
  microphones: Device[];
  /** Empty where the browser has no say in it. */
  speakers: Device[];
}

/** The devices there are. */
export declare function listDevices(): Promise<DeviceList>;
/** Calls back when a device comes or goes; returns a function that ends it. */
export declare function watchDevices(listener: (devices: DeviceList) => void): () => void;

/** Opens a camera. Rejects with noCamera, permissionDenied, deviceBusy or webrtcUnsupported. */
export declare function openCamera(options?: CameraOptions): Promise<MediaStreamTrack>;
/** Opens a microphone. Rejects with noMicrophone, permissionDenied, deviceBusy or webrtcUnsupported. */
export declare function openMicrophone(options?: MicrophoneOptions): Promise<MediaStreamTrack>;

export interface PublishOptions {
  /** Camera for video and microphone for audio if left out. */
  source?: Source;
  /** A name for people. */
  name?: string;
  /** Whether it begins muted. */
  muted?: boolean;
  /** Several sizes of the picture; true if left out. */
  simulcast?: boolean;
  /** At most so many encodings (1 to 3). */
  layers?: number;
  /** Whether encodings that nobody wants are not made until somebody does; true if left out. */
  adaptive?: boolean;
  /** VP8 if left out, and always with end-to-end encryption. */
  codec?: Codec;
  /** Of each encoding; 'L1T3' for cameras and 'L1T1' for screens if left out. */
  scalabilityMode?: string;
  contentHint?: '' | 'motion' | 'detail' | 'text' | 'speech' | 'music';
  /** Bits per second of the largest encoding. */
  maxBitrate?: number;
  maxFramerate?: number;
  /** Opens the device again after a mute; with it, mute gives the device back. */
  acquire?: (deviceId?: string) => Promise<MediaStreamTrack>;
  /** Opens another device of the kind, for switchDevice. */
  open?: (deviceId: string) => Promise<MediaStreamTrack>;
  /** Whether the SDK stops the track when the publication ends. */
  own?: boolean;
}

/** The encodings that a picture of this size is sent with, smallest first. */
export declare function planEncodings(
  size?: { width?: number; height?: number }, options?: PublishOptions,
): RTCRtpEncodingParameters[];

/** A track that this client publishes. */
export declare class LocalPublication {
  private constructor();
  /** Set once the server has accepted it; another one after a rejoin. */
  readonly id: string | null;
  readonly trackId: string;
  readonly kind: 'audio' | 'video';
  readonly source: Source;
  readonly name: string;
  readonly muted: boolean;
  readonly stopped: boolean;
  /** Null while muted, if the device was given back. */
  readonly track: MediaStreamTrack | null;
  /** Stops sending; if the SDK opened the camera, its light goes out too. */
  mute(): Promise<void>;
  /** Sends again. Rejects as openCamera does if the device was given back. */
  unmute(): Promise<void>;
  /**
   * Takes another camera or microphone than publishCamera or publishMicrophone opened; if it is
   * muted, the next unmute does. Rejects as openCamera does, and then goes on with the old one.
   */
  switchDevice(deviceId: string): Promise<void>;
  /** Sends another track in its place, without negotiation. Rejects with closed once it has ended. */
  replaceTrack(track: MediaStreamTrack): Promise<void>;
  /** Ends the publication. */
  stop(): void;
}

/** A track that somebody else publishes. */
export declare class RemotePublication {
  private constructor();
  readonly id: string;
  readonly trackId: string;
  readonly participant: RemoteParticipant;
  readonly kind: 'audio' | 'video';
  readonly source: Source;
  readonly name: string;
  readonly muted: boolean;
  readonly codec: string;
  /** Whether its frames are encrypted from end to end, as its publisher says. */
  readonly encrypted: boolean;
  /** False once it is known that this client cannot read its frames; see decryptionChanged. */
  readonly readable: boolean;
  readonly layers: { rid?: string; width?: number; height?: number }[];
  /** The track that carries it now, if a slot does. */
  readonly track: MediaStreamTrack | null;
}

/** Somebody else in the room. */
export declare class RemoteParticipant {
  private constructor();
  readonly id: string;
  readonly identity: string;
  readonly name: string;
  readonly metadata: string;
  /** Short facts for the app, by their names, from the token or a backend. */
  readonly attributes: Readonly<Record<string, string>>;
  /** `ingress` is a source without a page, such as an encoder that publishes by WHIP. */
  readonly kind: 'standard' | 'ingress';
  /** By id. */
  readonly publications: ReadonlyMap<string, RemotePublication>;
  /** The publication of a source, if any. */
  publication(source: Source): RemotePublication | null;
}

/** What the token allows, or a backend since. */
export interface Grants {
  canPublish: boolean;
  canSubscribe: boolean;
  canPublishData: boolean;
  /** Empty: anything. */
  canPublishSources: Source[];
  /** Most bits per second that may be published. */
  maxPublishBitrate?: number;
  /** Most tracks that may be published at a time. */
  maxPublishTracks?: number;
  /** Highest spatial layer that is received, 0 the smallest picture. */
  maxSubscribeLayer?: number;
  hidden: boolean;
}

/** This client. */
export interface LocalParticipant {
  readonly id: string;
  readonly identity: string;
  readonly name: string;
  readonly metadata: string;
  /** Short facts for the app, by their names, from the token or a backend. */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Speaker {
  participant: RemoteParticipant | LocalParticipant;
  /** Id of the publication that is heard. */
  publication: string;
  /** Decibels below the loudest: 0 is loud, 127 silent. */
  level: number;
}

export interface Layer {
  spatial: number;
  temporal: number;
}

/** Why somebody is gone. */
export type LeaveReason = 'left' | 'connectionLost' | 'replaced' | 'removed' | 'roomClosed' | 'misbehaved';

/** Bounds that the server holds this client to. */
export interface Limits {
  readonly publications: number;
  readonly slots: number;
  readonly dataMessageBytes: number;
  readonly dataMessagesPerSecond: number;
  readonly dataBytesPerSecond: number;
}

export interface RoomEvents {
  /** Joining, being there, coming back. */
  connectionState: { state: ConnectionState };
  /** Somebody came; who was there before is in room.participants. */
  participantJoined: { participant: RemoteParticipant };
  /** Somebody, perhaps the local participant, has another name, other metadata or attributes. */
  participantUpdated: { participant: RemoteParticipant | LocalParticipant };
  /**
   * The token expires soon. If the option `token` is a function, the SDK replaces it by itself; else
   * call room.refreshToken. Without, the call goes on, but does not outlast a lost connection.
   */
  tokenExpiring: {};
  /** The local participant may do other things than before; see room.grants. */
  grantsChanged: { grants: Grants };
  /** Somebody left, or is gone for the reason told. */
  participantLeft: { participant: RemoteParticipant; reason: LeaveReason };
  /** Somebody publishes something; show it with room.attach. */
  published: { participant: RemoteParticipant; publication: RemotePublication };
  /** It is over, and has been detached. */
  unpublished: { participant: RemoteParticipant; publication: RemotePublication };
  /** Somebody muted or unmuted something. */
  muted: { participant: RemoteParticipant; publication: RemotePublication; muted: boolean };
  /** This client begins to publish something; publish() tells when the server has accepted it. */
  localPublished: { publication: LocalPublication };
  /** It is over: by stop(), by the browser's button to end sharing, by an unplugged device, or by the server. */
  localUnpublished: { publication: LocalPublication };
  /** This client, or a moderator, muted or unmuted it. */
  localMuted: { publication: LocalPublication; muted: boolean };
  /** A slot carries the publication from now on. */
  trackAttached: { mid: string; participant: RemoteParticipant; publication: RemotePublication; track: MediaStreamTrack };
  /** A slot carries it no more. */
  trackDetached: { mid: string; participant: RemoteParticipant; publication: RemotePublication; track: MediaStreamTrack };
  /** What a slot carries, in which layer, and why. */
  slotChanged: {
    mid: string; kind: 'audio' | 'video'; participant: RemoteParticipant | null;
    publication: RemotePublication | null; layer: Layer | null; reason: SlotReason;
  };
  /** Who speaks now, the loudest of late first. */
  speakers: { speakers: Speaker[] };
  /**
   * Somebody sent a message. The participant is null if it comes from the server's side (then
   * `from` is, too) or from somebody whose joining has not been told yet.
   */
  data: {
    participant: RemoteParticipant | null; from: string | null; topic: string;
    payload: string | Uint8Array; reliable: boolean;
    /** False: the server can read it, and could have written it. */
    encrypted: boolean;
  };
  /**
   * What somebody sends can be decrypted no more, or again: another passphrase, none on one of the
   * two sides, or changed frames. Nothing of it is shown or played meanwhile. Without a publication
   * it is about messages.
   */
  decryptionChanged: { participant: RemoteParticipant; publication: RemotePublication | null; ok: boolean };
  /** So many reliable messages to this client were dropped, because it reads too slowly. */
  dataDropped: { messages: number };
  /** The browser refuses (or no longer refuses) to play sound: call startAudio from a click. */
  audioBlocked: { blocked: boolean };
  /** Something failed; the room goes on. */
  error: PlenumError;
  /** The connection was lost or the server goes away; the SDK joins again. */
  closing: { code: string; message: string; reconnect: boolean };
  /** The room is over; the error is null after leave(). */
  closed: { error: PlenumError | null };
}

/** End-to-end encryption; all in the room need the same passphrase. */
export interface EncryptionOptions {
  /** Long enough that it cannot be guessed: four random words or more. Throws a TypeError if it is empty. */
  passphrase: string;
  /** Opens the module `plenum-client/e2ee-worker` where the bundler does not find it by itself (esbuild). */
  worker?: () => Worker;
}

export interface RoomOptions {
  /** Address of the server (http, https, ws or wss); that of the page if left out. */
  url?: string | URL;
  /**
   * Access token, or a function that gets one; it is called for every attempt to connect, and when
   * the token is about to expire.
   */
  token?: string | (() => string | Promise<string>);
  /** May be left out if the token names the room. */
  room?: string;
  /** Shown name; the token's wins. */
  name?: string;
  /** Published with the join itself, if open by then; later ones follow. */
  publish?: (PublishEntry | Promise<PublishEntry>)[];
  /** Whether the SDK plays the sound of the others; true if left out. */
  playAudio?: boolean;
  /** In place of those that the server names. */
  iceServers?: RTCIceServer[];
  /** `relay`: only over TURN. */
  iceTransportPolicy?: RTCIceTransportPolicy;
  /** Encrypts media and messages from end to end: the server forwards what it cannot read. */
  e2ee?: EncryptionOptions;
  /** Ends the attempt to join, which then rejects with aborted. Once joined, it does nothing. */
  signal?: AbortSignal;
}

export interface DataOptions {
  /** Repeated until it arrives; true if left out. */
  reliable?: boolean;
  /** Identities of the receivers; all others if left out. */
  to?: string[];
  /** What it is about. */
  topic?: string;
}

export interface PublishEntry extends PublishOptions {
  track: MediaStreamTrack;
}

/** The way to the server. */
export interface ConnectionStats {
  /** Round trip to the server, ms. */
  rtt: number | null;
  /** Kinds of addresses (RFC 8445 §4) at the two ends. */
  localCandidate: RTCIceCandidateType | null;
  remoteCandidate: RTCIceCandidateType | null;
  /** Between this client and the server, or the relay's end of it. */
  protocol: 'udp' | 'tcp' | null;
  /** Between this client and its TURN server; null on a direct path. */
  relayProtocol: 'udp' | 'tcp' | 'tls' | null;
  /** What the browser thinks it may send, bits/s. */
  availableOutgoing: number | null;
  /** Where the browser estimates it (Chromium does not; see explain().network.estimate), bits/s. */
  availableIncoming: number | null;
  /** Sent and received since the last call, bits/s, without headers below RTP and DTLS. */
  outgoing: number | null;
  incoming: number | null;
}

/** One of the sizes in which a publication is sent. */
export interface EncodingStats {
  /** Null without simulcast. */
  rid: string | null;
  codec: string | null;
  /** False while nobody wants it. */
  active: boolean;
  width: number | null;
  height: number | null;
  /** Frames per second. */
  fps: number | null;
  /** Sent since the last call, bits/s. */
  bitrate: number | null;
  /** What the encoder aims at, bits/s. */
  targetBitrate: number | null;
  /** What keeps it from being better. */
  limitedBy: 'none' | 'cpu' | 'bandwidth' | 'other' | null;
  /** Share of packets lost on the way to the server, 0 to 1, as the server last reported. */
  loss: number | null;
  /** Round trip as the server last reported, ms. */
  rtt: number | null;
}

/** What this client publishes. */
export interface PublicationStats {
  publication: string | null;
  source: Source;
  kind: 'audio' | 'video';
  muted: boolean;
  /** Smallest first. */
  encodings: EncodingStats[];
}

/** A publication of somebody else that is received now. */
export interface RemoteStats {
  /** Ids. */
  publication: string;
  participant: string;
  source: Source;
  kind: 'audio' | 'video';
  /** The m-line that carries it. */
  mid: string | null;
  /** Null while nothing is sent, for the reason told. */
  layer: Layer | null;
  reason: SlotReason;
  codec: string | null;
  width: number | null;
  height: number | null;
  /** Frames per second. */
  fps: number | null;
  /** Received since the last call, bits/s. */
  bitrate: number | null;
  /** Share of packets lost since the last call, 0 to 1. */
  loss: number | null;
  /** Variation of the packets' delay now, ms. */
  jitter: number | null;
  /** Pictures decoded since the slot began. */
  framesDecoded: number;
  /** How often the picture froze since the last call, and for how long in all, ms. */
  freezes: number | null;
  frozen: number | null;
  /** Share of the sound that had to be made up since the last call, 0 to 1. */
  concealed: number | null;
  /** Loudness now, 0 to 1. */
  audioLevel: number | null;
  /** Sum over time, as in the statistics of WebRTC. */
  audioEnergy: number;
}

/**
 * What is received and sent. Null is what is not known (yet): rates and shares from the second call
 * on, since they cover the time since the last one.
 */
export interface RoomStats {
  connection: ConnectionStats;
  publications: PublicationStats[];
  remotes: RemoteStats[];
}

/** A decision of the server on a slot, with what it was decided by. Rates in bits per second. */
export interface Decision {
  /** How long ago, ms. */
  age: number;
  reason: SlotReason;
  given: Layer | null;
  wanted: Layer | null;
  width: number | null;
  height: number | null;
  priority: number;
  estimate: number | null;
  allocated: number;
}

/** Why this client sees what it sees. Rates in bits per second. */
export interface Explanation {
  network: { estimate: number | null; allocated: number; wanted: number; rtt: number | null; loss: number };
  slots: {
    mid: string; publication: string | null; layer: Layer | null; reason: SlotReason; bitrate: number | null; decisions: Decision[];
  }[];
}

/**
 * A room that this client is in. It lives once: idle, joined, closed. After it has closed, methods
 * reject with closed (attach, detach and leave do nothing), and whoever wants back makes a new one.
 */
export declare class Room {
  /** Prepares a room, so that one can listen before joining. */
  constructor(options: RoomOptions);
  /** Joins a room and resolves when the server has let the client in. */
  static join(options: RoomOptions): Promise<Room>;
  /**
   * Joins. Rejects, and closes the room, with a code of the server (tokenInvalid, tokenExpired,
   * wrongRoom, roomFull ...), tokenUnavailable, urlInvalid, serverUnreachable, webrtcUnsupported, aborted, or closed
   * if leave() was called meanwhile.
   */
  join(): Promise<void>;

  /** Empty until joined. */
  readonly id: string;
  /** Empty until joined. */
  readonly name: string;
  readonly state: ConnectionState;
  readonly local: LocalParticipant;
  /** Null until joined. */
  readonly grants: Grants | null;
  /** Null until joined. */
  readonly limits: Limits | null;
  /** The others, by id. */
  readonly participants: ReadonlyMap<string, RemoteParticipant>;
  /** What this client publishes. */
  readonly publications: LocalPublication[];
  /** Who speaks now, the loudest of late first. */
  readonly speakers: Speaker[];
  /** Whether the browser wants a click before it plays sound. */
  readonly audioBlocked: boolean;
  /** Whether this client encrypts from end to end. */
  readonly encrypted: boolean;

  /** Listens; returns a function that ends it. */
  on<E extends keyof RoomEvents>(event: E, listener: (detail: RoomEvents[E]) => void): () => void;
  /** Listens for one event; returns a function that ends it. */
  once<E extends keyof RoomEvents>(event: E, listener: (detail: RoomEvents[E]) => void): () => void;
  /** Ends what `on` began. */
  off<E extends keyof RoomEvents>(event: E, listener: (detail: RoomEvents[E]) => void): void;

  /** The own publication of a source, if any. */
  publication(source: Source): LocalPublication | null;
  /**
   * Publishes a track; resolves when the server has accepted it. Rejects with notPermitted,
   * tooManyPublications, notJoined or closed.
   */
  publish(track: MediaStreamTrack, options?: PublishOptions): Promise<LocalPublication>;
  /** Opens a camera and publishes it. Rejects as openCamera and publish do. */
  publishCamera(options?: CameraOptions & PublishOptions & { track?: MediaStreamTrack }): Promise<LocalPublication>;
  /** Opens a microphone and publishes it. Rejects as openMicrophone and publish do. */
  publishMicrophone(options?: MicrophoneOptions & PublishOptions & { track?: MediaStreamTrack }): Promise<LocalPublication>;
  /**
   * Asks for a screen or window and publishes it, with its sound if there is any; call it from a
   * click. Rejects with permissionDenied if none was chosen, else as publish does.
   */
  publishScreen(options?: PublishOptions & { audio?: boolean; frameRate?: number }): Promise<{
    screen: LocalPublication; screenAudio: LocalPublication | null;
  }>;

  /**
   * Shows a publication in a <video>; the size of the element chooses the layer, and a hidden
   * element costs no bandwidth. Returns a function that detaches it.
   */
  attach(publication: LocalPublication | RemotePublication, element: HTMLVideoElement): () => void;
  /** Stops showing anything in an element. */
  detach(element: HTMLVideoElement): void;

  /**
   * Shows the server another token of the same identity for the same room; its grants count from
   * then on. Rejects with tokenInvalid, tokenExpired, tokenNotYetValid, wrongRoom, notPermitted,
   * notJoined, serverUnreachable or closed; the old one stays then.
   */
  refreshToken(token: string): Promise<void>;

  /** Plays the sound of the others, from a click after `audioBlocked`. */
  startAudio(): Promise<void>;
  /** Chooses the loudspeaker, where the browser can. Rejects with noSpeaker or permissionDenied. */
  setSpeaker(deviceId: string): Promise<void>;

  /**
   * Sends a message to all others, or to those named by identity. Reliable ones arrive in order.
   * Resolves when it is on its way; rejects with notPermitted, tooLarge, unknownParticipant,
   * bufferFull, notJoined or closed. What the server refuses later comes as the event `error`.
   */
  sendData(payload: string | ArrayBuffer | ArrayBufferView, options?: DataOptions): Promise<void>;

  /**
   * Encrypts with another passphrase from now on. What others encrypted with the one before can be
   * read for 10 s; others read this client again as soon as they change theirs, too. Rejects with
   * notPermitted if the room was made without `e2ee`, or with closed.
   */
  setPassphrase(passphrase: string): Promise<void>;

  /** Asks the server why each slot shows what it shows. Rejects with notJoined, serverUnreachable or closed. */
  explain(): Promise<Explanation>;
  /** What is received and sent now; rates cover the time since the last call. Never rejects; empty when not joined. */
  getStats(): Promise<RoomStats>;
  /** Leaves and stops the tracks that the SDK opened. May be called at any time, and again. */
  leave(): Promise<void>;
}

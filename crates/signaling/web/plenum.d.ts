/** Types of the Plenum client SDK (plenum.js). */

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
  | 'best' | 'viewport' | 'bandwidth' | 'layerInactive' | 'waitingForKeyframe' | 'muted'
  | 'notVisible' | 'noSource' | 'off' | 'codecNotNegotiated';

/** Codes that the client itself raises; those of the server are listed in PROTOCOL.md. */
export type ClientErrorCode =
  | 'noCamera' | 'noMicrophone' | 'permissionDenied' | 'deviceBusy' | 'deviceLost'
  | 'serverUnreachable' | 'mediaUnreachable' | 'webrtcUnsupported' | 'connectionLost' | 'closed'
  | 'bufferFull' | 'unknownParticipant';

/** An error with a stable code and a sentence that says what to do. */
export declare class PlenumError extends Error {
  constructor(code: ClientErrorCode | (string & {}), message?: string, cause?: unknown);
  readonly code: ClientErrorCode | (string & {});
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
  /** VP8 if left out. */
  codec?: Codec;
  /** Of each encoding; 'L1T3' for cameras and 'L1T1' for screens if left out. */
  scalabilityMode?: string;
  contentHint?: '' | 'motion' | 'detail' | 'text' | 'speech' | 'music';
  /** Bits per second of the largest encoding. */
  maxBitrate?: number;
  maxFramerate?: number;
  /** Opens the device again after a mute; with it, mute gives the device back. */
  acquire?: () => Promise<MediaStreamTrack>;
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
  unmute(): Promise<void>;
  /** Sends another track in its place, without negotiation. */
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
  /** `ingress` is a source without a page, such as an encoder that publishes by WHIP. */
  readonly kind: 'standard' | 'ingress';
  readonly publications: ReadonlyMap<string, RemotePublication>;
  publication(source: Source): RemotePublication | null;
}

/** This client. */
/** What the token allows, or a backend since. */
export interface Grants {
  canPublish: boolean;
  canSubscribe: boolean;
  canPublishData: boolean;
  /** Empty: anything. */
  canPublishSources: Source[];
  hidden: boolean;
}

export interface LocalParticipant {
  readonly id: string;
  readonly identity: string;
  readonly name: string;
  readonly metadata: string;
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

export interface RoomEvents {
  connectionState: { state: ConnectionState };
  participantJoined: { participant: RemoteParticipant };
  /** Somebody, perhaps the local participant, has another name or other metadata. */
  participantUpdated: { participant: RemoteParticipant | LocalParticipant };
  /** The local participant may do other things than before; see room.grants. */
  grantsChanged: { grants: Grants };
  participantLeft: { participant: RemoteParticipant; reason: string };
  published: { participant: RemoteParticipant; publication: RemotePublication };
  unpublished: { participant: RemoteParticipant; publication: RemotePublication };
  muted: { participant: RemoteParticipant; publication: RemotePublication; muted: boolean };
  localPublished: { publication: LocalPublication };
  localUnpublished: { publication: LocalPublication };
  localMuted: { publication: LocalPublication; muted: boolean };
  /** A slot carries the publication from now on. */
  trackAttached: { mid: string; participant: RemoteParticipant; publication: RemotePublication; track: MediaStreamTrack };
  trackDetached: { mid: string; participant: RemoteParticipant; publication: RemotePublication; track: MediaStreamTrack };
  slotChanged: {
    mid: string; kind: 'audio' | 'video'; participant: RemoteParticipant | null;
    publication: RemotePublication | null; layer: Layer | null; reason: SlotReason;
  };
  speakers: { speakers: Speaker[] };
  /**
   * Somebody sent a message. The participant is null if it comes from the server's side (then
   * `from` is, too) or from somebody whose joining has not been told yet.
   */
  data: {
    participant: RemoteParticipant | null; from: string | null; topic: string;
    payload: string | Uint8Array; reliable: boolean;
  };
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

export interface RoomOptions {
  /** Address of the server (http, https, ws or wss); that of the page if left out. */
  url?: string | URL;
  /** Access token, or a function that gets one; it is called for every attempt to connect. */
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

export interface SlotStats {
  mid: string | null;
  kind: 'audio' | 'video';
  publication: string | null;
  participant: string | null;
  layer: Layer | null;
  reason: SlotReason;
  codec: string | null;
  width: number | null;
  height: number | null;
  fps: number | null;
  /** Bits per second since the last call. */
  bitrate: number | null;
  /** Share of packets lost since the beginning, 0 to 1. */
  loss: number;
  /** In ms. */
  jitter: number | null;
  /** In ms. */
  rtt: number | null;
  framesDecoded: number;
  freezes: number;
  audioLevel: number | null;
  audioEnergy: number;
}

export interface EncodingStats {
  rid: string | null;
  codec: string | null;
  active: boolean;
  width: number | null;
  height: number | null;
  fps: number | null;
  bitrate: number | null;
  targetBitrate: number | null;
  limitedBy: string | null;
  loss: number | null;
  rtt: number | null;
}

export interface RoomStats {
  rtt: number | null;
  availableOutgoing?: number | null;
  slots: SlotStats[];
  publications: {
    publication: string | null; source: Source; kind: 'audio' | 'video'; muted: boolean; encodings: EncodingStats[];
  }[];
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

/** A room that this client is in. */
export declare class Room {
  constructor(options: RoomOptions);
  /** Joins a room and resolves when the server has let the client in. */
  static join(options: RoomOptions): Promise<Room>;
  join(): Promise<void>;

  readonly id: string;
  readonly name: string;
  readonly state: ConnectionState;
  readonly local: LocalParticipant;
  readonly grants: Grants;
  /** The others, by id. */
  readonly participants: ReadonlyMap<string, RemoteParticipant>;
  /** What this client publishes. */
  readonly publications: LocalPublication[];
  readonly speakers: Speaker[];
  readonly audioBlocked: boolean;

  /** Listens; returns a function that ends it. */
  on<E extends keyof RoomEvents>(event: E, listener: (detail: RoomEvents[E]) => void): () => void;
  once<E extends keyof RoomEvents>(event: E, listener: (detail: RoomEvents[E]) => void): () => void;
  off<E extends keyof RoomEvents>(event: E, listener: (detail: RoomEvents[E]) => void): void;

  /** The own publication of a source, if any. */
  publication(source: Source): LocalPublication | null;
  /** Publishes a track; resolves when the server has accepted it. */
  publish(track: MediaStreamTrack, options?: PublishOptions): Promise<LocalPublication>;
  publishCamera(options?: CameraOptions & PublishOptions & { track?: MediaStreamTrack }): Promise<LocalPublication>;
  publishMicrophone(options?: MicrophoneOptions & PublishOptions & { track?: MediaStreamTrack }): Promise<LocalPublication>;
  /** Asks for a screen or window and publishes it, with its sound if there is any. */
  publishScreen(options?: PublishOptions & { audio?: boolean; frameRate?: number }): Promise<{
    screen: LocalPublication; screenAudio: LocalPublication | null;
  }>;

  /**
   * Shows a publication in a <video>; the size of the element chooses the layer, and a hidden
   * element costs no bandwidth. Returns a function that detaches it.
   */
  attach(publication: LocalPublication | RemotePublication, element: HTMLVideoElement): () => void;
  detach(element: HTMLVideoElement): void;

  /** Plays the sound of the others, from a click after `audioBlocked`. */
  startAudio(): Promise<void>;
  /** Chooses the loudspeaker, where the browser can. */
  setSpeaker(deviceId: string): Promise<void>;

  /**
   * Sends a message to all others, or to those named by identity. Reliable ones arrive in order.
   * Resolves when it is on its way; rejects with notPermitted, tooLarge, unknownParticipant,
   * bufferFull or closed. What the server refuses later comes as the event `error`.
   */
  sendData(payload: string | ArrayBuffer | ArrayBufferView, options?: DataOptions): Promise<void>;

  /** Asks the server why each slot shows what it shows. */
  explain(): Promise<Explanation>;
  getStats(): Promise<RoomStats>;
  /** Leaves and stops the tracks that the SDK opened. */
  leave(): Promise<void>;
}

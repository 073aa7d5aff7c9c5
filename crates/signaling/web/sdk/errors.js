// @ts-check
// Errors with codes: those of devices, of the connection, and whether to try again.

/** Sentences for the codes that the client itself raises. */
export const SENTENCES = {
  noCamera: 'No camera was found. Connect one, or join without video.',
  noMicrophone: 'No microphone was found. Connect one, or join without sound.',
  noScreen: 'There is nothing to share. Share the screen from a computer.',
  noSpeaker: 'This loudspeaker is not there any more. Choose another one.',
  permissionDenied: 'The browser was not allowed to use the device. Allow it in the address bar and try again.',
  deviceBusy: 'The device is in use by another program. Close that program and try again.',
  deviceLost: 'The device was disconnected. Connect it again or choose another one.',
  urlInvalid: 'The address of the server is not valid. Pass `url` as in https://plenum.example.net.',
  tokenUnavailable: 'The app could not get a token. Try again in a moment.',
  aborted: 'Joining was aborted.',
  notJoined: 'Join the room first: await room.join().',
  serverUnreachable: 'The server cannot be reached. Check the network and try again.',
  mediaUnreachable: 'The server answers, but no media gets through. Allow UDP to the media ports of the server, or TCP to port 7881.',
  webrtcUnsupported: 'This browser cannot make calls here. Use a current browser over HTTPS.',
  encryptionUnsupported: 'This browser cannot encrypt calls here. Use a current browser over HTTPS.',
  connectionLost: 'The connection to the server was lost.',
  replaced: 'You joined this room from another tab or device.',
  removed: 'You were removed from the room.',
  roomClosed: 'The room was closed.',
  closed: 'The room has been left.',
  bufferFull: 'Messages come faster than the network takes them. Send fewer, or wait.',
};

/** Fatal refusals after which trying again later makes sense. */
const RETRY_CODES = ['serverFull', 'draining', 'internal', 'tooManyMessages'];

/** An error with a stable code and a sentence that says what to do. */
export class PlenumError extends Error {
  /** @param {string} code @param {string} [message] @param {unknown} [cause] */
  constructor(code, message, cause) {
    super(message || SENTENCES[code] || code, { cause });
    this.name = 'PlenumError';
    this.code = code;
  }
}

const NOT_THERE = { camera: 'noCamera', microphone: 'noMicrophone', screen: 'noScreen', speaker: 'noSpeaker' };

/** @param {any} error @param {'camera'|'microphone'|'screen'|'speaker'} device */
export function deviceError(error, device) {
  const none = NOT_THERE[device];
  const codes = {
    NotAllowedError: 'permissionDenied', SecurityError: 'permissionDenied', InvalidStateError: 'permissionDenied', NotFoundError: none,
    OverconstrainedError: none, NotReadableError: 'deviceBusy', AbortError: 'deviceBusy',
  };
  const code = codes[error?.name] ?? (error instanceof TypeError ? 'webrtcUnsupported' : 'deviceBusy');
  const chosen = device === 'screen' && code === 'permissionDenied';
  return new PlenumError(code, chosen ? 'No screen was shared. Ask for one in a click, and choose one.' : '', error);
}

/** What a close code means if no message explained it. */
export function closeError(code, reason) {
  const codes = { 4401: 'tokenInvalid', 4403: 'notPermitted', 4409: 'replaced', 4410: 'removed', 4503: 'roomFull' };
  return new PlenumError(codes[code] ?? (code === 1006 ? 'serverUnreachable' : 'connectionLost'), codes[code] && reason);
}

export const isFinal = (error) => !['serverUnreachable', 'mediaUnreachable', 'connectionLost', 'tokenUnavailable', ...RETRY_CODES].includes(error.code);

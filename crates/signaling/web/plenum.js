// @ts-check
/**
 * Plenum client SDK: ES modules without dependencies, for browsers.
 *
 *   import { Room } from '/plenum.js';
 *   const room = await Room.join({ url: location.origin, token });
 *   const show = (publication) => { if (publication.kind === 'video') room.attach(publication, videoFor(publication)); };
 *   for (const participant of room.participants.values()) participant.publications.forEach(show);
 *   room.on('published', ({ publication }) => show(publication));
 *   await room.publishCamera();
 *
 * How it works. One WebSocket and one RTCPeerConnection make a Connection; the client makes every
 * offer, one at a time. Pictures arrive on a pool of receive-only m-lines, the slots: attaching a
 * publication to a <video> pins a free slot to it and reports the size of the element, from which
 * the server chooses the layer. Sound arrives on slots that follow the active speakers and is
 * played by the SDK. When the connection is lost, a new one is made and everything that was
 * published or attached moves over. Types are in plenum.d.ts; the modules below sdk/ and members
 * that begin with an underscore are internal.
 */

// Named here although others import them, so that a browser asks for all modules at once.
import './sdk/codecs.js';
import './sdk/connection.js';
import './sdk/e2ee.js';
import './sdk/e2ee-frames.js';
import './sdk/e2ee-keys.js';
import './sdk/e2ee-open-worker.js';
import './sdk/e2ee-replay.js';
import './sdk/emitter.js';
import './sdk/messages.js';
import './sdk/people.js';
import './sdk/promises.js';
import './sdk/publishing.js';
import './sdk/slots.js';
import './sdk/sound.js';
import './sdk/stage.js';
import './sdk/stats.js';
import './sdk/view.js';

export { listDevices, openCamera, openMicrophone, watchDevices } from './sdk/devices.js';
export { PlenumError } from './sdk/errors.js';
export { planEncodings } from './sdk/layers.js';
export { LocalPublication } from './sdk/local-publication.js';
export { RemoteParticipant, RemotePublication } from './sdk/remote.js';
export { Room } from './sdk/room.js';
export { VERSION } from './sdk/version.js';

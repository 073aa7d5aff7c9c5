// @ts-check
// Opens devices and publishes them.

import { openCamera, openDevice, openMicrophone } from './devices.js';
import { sleep } from './promises.js';

/** How long the first offer waits for tracks that are still being opened, in ms. */
const PUBLISH_GRACE_MS = 30;

/** Publishes what the room was made with; resolves when those tracks are there, or without the late ones. @param {any} room */
export async function publishFirst(room) {
  const wanted = (room._options.publish ?? []).map(async (entry) => {
    try {
      const { track, ...options } = await entry;
      room.publish(track, options).catch((error) => { if (error.code !== 'closed') room._emit('error', error); });
    } catch (error) { room._emit('error', error); }
  });
  if (wanted.length) await Promise.race([Promise.all(wanted), sleep(PUBLISH_GRACE_MS)]);
}

/** @param {any} room @param {any} options */
export async function publishCamera(room, options) {
  const open = (deviceId = options.deviceId) => openCamera({ ...options, deviceId });
  return room.publish(options.track ?? await open(), { source: 'camera', acquire: open, open, ...options });
}

/** @param {any} room @param {any} options */
export async function publishMicrophone(room, options) {
  const open = (deviceId = options.deviceId) => openMicrophone({ ...options, deviceId });
  return room.publish(options.track ?? await open(), { source: 'microphone', own: true, open, ...options });
}

/** The picture and the sound of a screen: both or none. @param {any} room @param {any} options */
export async function publishScreen(room, { audio = false, frameRate = 15, ...options }) {
  const stream = await openDevice('screen', { video: { frameRate: { ideal: frameRate } }, audio });
  const [sound] = stream.getAudioTracks();
  const screen = room.publish(stream.getVideoTracks()[0], { own: true, ...options, source: 'screen' });
  const screenAudio = sound ? room.publish(sound, { own: true, source: 'screenAudio' }) : null;
  try {
    return { screen: await screen, screenAudio: await screenAudio };
  } catch (error) {
    for (const source of ['screen', 'screenAudio']) room.publication(source)?.stop();
    for (const track of stream.getTracks()) track.stop();
    throw error;
  }
}

// @ts-check
// Opens devices and publishes them.

import { openCamera, openDevice, openMicrophone } from './devices.js';

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

// @ts-check
// Cameras, microphones and screens.

import { PlenumError, deviceError } from './errors.js';

/** Opens a camera. @param {import('../plenum.js').CameraOptions} options */
export async function openCamera({ deviceId, width = 1280, height = 720, frameRate = 30, facingMode } = {}) {
  const video = {
    width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: frameRate },
    ...(deviceId ? { deviceId: { exact: deviceId } } : facingMode ? { facingMode } : {}),
  };
  return (await openDevice('camera', { video })).getVideoTracks()[0];
}

/** Opens a microphone. @param {import('../plenum.js').MicrophoneOptions} options */
export async function openMicrophone({ deviceId, echoCancellation = true, noiseSuppression = true, autoGainControl = true } = {}) {
  const audio = {
    echoCancellation, noiseSuppression, autoGainControl,
    ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
  };
  return (await openDevice('microphone', { audio })).getAudioTracks()[0];
}

/**
 * The devices there are, by kind. Names are empty until the user has allowed one of the kind.
 * @returns {Promise<import('../plenum.js').DeviceList>}
 */
export async function listDevices() {
  const all = (await globalThis.navigator?.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  // Without permission browsers list placeholders without an id.
  const of = (kind) => all.filter((device) => device.kind === kind && device.deviceId).map(({ deviceId, label }) => ({ deviceId, label }));
  return { cameras: of('videoinput'), microphones: of('audioinput'), speakers: of('audiooutput') };
}

/** Calls back when a device comes or goes; returns a function that ends it. */
export function watchDevices(listener) {
  const devices = globalThis.navigator?.mediaDevices;
  const tell = async () => listener(await listDevices());
  devices?.addEventListener?.('devicechange', tell);
  return () => devices?.removeEventListener?.('devicechange', tell);
}

/** @param {'camera'|'microphone'|'screen'} device @param {any} constraints */
export async function openDevice(device, constraints) {
  const devices = globalThis.navigator?.mediaDevices;
  if (!devices) throw new PlenumError('webrtcUnsupported');
  try {
    return device === 'screen' ? await devices.getDisplayMedia(constraints) : await devices.getUserMedia(constraints);
  } catch (error) {
    throw deviceError(error, device);
  }
}

// Which camera, microphone and loudspeaker to use; remembered in this browser.

import { openCamera, openMicrophone } from '/plenum.js';

const KINDS = { camera: 'videoinput', microphone: 'audioinput', speaker: 'audiooutput' };
const LABELS = { camera: 'Camera', microphone: 'Microphone', speaker: 'Speaker' };

/** Reads a remembered value; a browser may forbid storage. */
export function recall(key) {
  try { return localStorage.getItem(`plenum.${key}`) ?? ''; } catch { return ''; }
}

/** Remembers a value. */
export function remember(key, value) {
  try { localStorage.setItem(`plenum.${key}`, value); } catch { /* Then it is forgotten. */ }
}

/** Choice of devices, with the size of the camera picture. */
export class Devices {
  constructor({ width = 1280, height = 720 } = {}) {
    this.size = { width, height };
    this.chosen = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, recall(kind)]));
  }

  choose(kind, deviceId) {
    this.chosen[kind] = deviceId;
    remember(kind, deviceId);
  }

  /** Opens the chosen camera, or any if that one is gone. */
  openCamera = () => this.#open(openCamera, 'camera', this.size);

  /** Opens the chosen microphone, or any if that one is gone. */
  openMicrophone = () => this.#open(openMicrophone, 'microphone', {});

  async #open(open, kind, options) {
    const deviceId = this.chosen[kind];
    if (!deviceId) return open(options);
    try {
      return await open({ ...options, deviceId });
    } catch (error) {
      if (error.code !== 'noCamera' && error.code !== 'noMicrophone') throw error;
      this.choose(kind, '');
      return open(options);
    }
  }

  /** Devices by kind; the browser hides names until one was opened. */
  async list() {
    const all = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
    const canChooseSpeaker = 'setSinkId' in HTMLMediaElement.prototype;
    return Object.entries(KINDS)
      .filter(([kind]) => kind !== 'speaker' || canChooseSpeaker)
      .map(([kind, type]) => ({
        kind, label: LABELS[kind],
        devices: all.filter((device) => device.kind === type && device.deviceId && device.deviceId !== 'communications'),
      }));
  }

  /** Fills `parent` with one <select> per kind; calls `onChoice(kind)` when one changes. */
  async render(parent, onChoice) {
    const kinds = await this.list();
    parent.replaceChildren(...kinds.map(({ kind, label, devices }) => this.#select(kind, label, devices, onChoice)));
  }

  #select(kind, label, devices, onChoice) {
    const wrapper = document.createElement('label');
    const select = document.createElement('select');
    wrapper.append(label, select);
    select.dataset.device = kind; // no id: the lobby has one, too
    select.disabled = devices.length === 0;
    const options = devices.length ? devices.map((d, i) => new Option(d.label || `${label} ${i + 1}`, d.deviceId)) : [new Option(kind === 'speaker' ? 'System default' : `No ${label.toLowerCase()} found`, '')];
    select.append(...options);
    if (devices.some((device) => device.deviceId === this.chosen[kind])) select.value = this.chosen[kind];
    select.addEventListener('change', () => {
      this.choose(kind, select.value);
      onChoice(kind);
    });
    return wrapper;
  }
}

// The lobby: room and name, preview, choice of devices.

import { recall, remember } from './devices.js';
import { icon } from './icons.js';
import { dress } from './tile.js';

const $ = (id) => document.getElementById(id);

/** How often the level meter moves, in ms. */
const METER_INTERVAL_MS = 80;

/** The page before the call. */
export class Lobby {
  #devices;
  #onJoin;
  #wanted = { camera: true, microphone: true };
  /** What is being opened or is open: promises of tracks. */
  #tracks = { camera: null, microphone: null };
  #notices = {};
  #meter = null;
  #token;

  constructor(devices, flags, onJoin) {
    this.#devices = devices;
    this.#onJoin = onJoin;
    this.#token = flags.get('token');
    $('room').value = flags.get('room') ?? recall('room');
    $('name').value = flags.get('name') ?? recall('name');
    $('passphrase').value = new URLSearchParams(location.hash.slice(1)).get('e2ee') ?? '';
    $('room').required = !this.#token;
    $('lobby-details').open = !matchMedia('(max-width: 760px)').matches;
    this.#wanted.camera = (flags.get('camera') ?? recall('wants.camera')) !== '0';
    this.#wanted.microphone = (flags.get('mic') ?? recall('wants.microphone')) !== '0';
    $('lobby-mic').addEventListener('click', () => this.#toggle('microphone'));
    $('lobby-camera').addEventListener('click', () => this.#toggle('camera'));
    $('name').addEventListener('input', () => this.#dressPreview());
    $('join-form').addEventListener('submit', (event) => { event.preventDefault(); this.submit(); });
    navigator.mediaDevices?.addEventListener?.('devicechange', () => this.#renderDevices());
  }

  show() {
    document.title = 'Plenum';
    $('lobby').hidden = false;
    for (const kind of ['camera', 'microphone']) if (this.#wanted[kind]) this.#open(kind);
    this.#render();
    this.#renderDevices();
    if (matchMedia('(pointer: fine)').matches) ($('room').value ? ($('name').value ? $('join') : $('name')) : $('room')).focus();
  }

  hide() {
    $('lobby').hidden = true;
    this.#stopMeter();
    $('preview').srcObject = null;
  }

  setBusy(busy) {
    $('join').disabled = busy;
    $('join').classList.toggle('busy', busy);
    $('join').firstElementChild.textContent = busy ? 'Joining…' : 'Join';
  }

  /** Hands room, name and the open tracks over. */
  submit() {
    if (!$('join-form').reportValidity() || $('join').disabled) return;
    const room = $('room').value.trim();
    const name = $('name').value.trim();
    remember('room', room);
    remember('name', name);
    for (const kind of ['camera', 'microphone']) remember(`wants.${kind}`, this.#wanted[kind] ? '1' : '0');
    this.setBusy(true);
    this.#onJoin({ room: room || undefined, name, passphrase: $('passphrase').value, tracks: this.#takeTracks() });
  }

  /** The tracks leave the lobby: the room owns them now. */
  #takeTracks() {
    const devices = this.#devices;
    const options = {
      camera: { source: 'camera', acquire: devices.openCamera },
      microphone: { source: 'microphone', own: true },
    };
    const taken = [];
    for (const kind of ['microphone', 'camera']) {
      const opening = this.#tracks[kind];
      this.#tracks[kind] = null;
      if (opening && this.#wanted[kind] && !this.#notices[kind]) taken.push(opening.then((track) => ({ track, ...options[kind] })));
    }
    return taken;
  }

  // ---- preview

  #open(kind) {
    if (this.#tracks[kind]) return;
    const opening = kind === 'camera' ? this.#devices.openCamera() : this.#devices.openMicrophone();
    this.#tracks[kind] = opening;
    delete this.#notices[kind];
    opening.then((track) => {
      if (this.#tracks[kind] !== opening) return;
      if (kind === 'camera') $('preview').srcObject = new MediaStream([track]);
      else this.#startMeter(track);
      this.#renderDevices();
    }, (error) => {
      if (this.#tracks[kind] !== opening) return;
      this.#tracks[kind] = null;
      this.#notices[kind] = error;
    }).finally(() => this.#render());
  }

  #drop(kind) {
    this.#tracks[kind]?.then((track) => track.stop(), () => {});
    this.#tracks[kind] = null;
    delete this.#notices[kind];
    if (kind === 'camera') $('preview').srcObject = null;
    else this.#stopMeter();
  }

  #toggle(kind) {
    const wanted = (this.#wanted[kind] = !this.#wanted[kind] || Boolean(this.#notices[kind]));
    this.#drop(kind);
    if (wanted) this.#open(kind);
    this.#render();
  }

  #renderDevices() {
    this.#devices.render($('lobby-devices'), (kind) => {
      if (kind === 'speaker' || !this.#wanted[kind]) return;
      this.#drop(kind);
      this.#open(kind);
    });
  }

  #render() {
    const names = { camera: ['camera', 'cameraOff', 'camera'], microphone: ['mic', 'micOff', 'mic'] };
    for (const kind of ['camera', 'microphone']) {
      const on = this.#wanted[kind] && !this.#notices[kind];
      const [shown, hidden, id] = names[kind];
      const button = $(`lobby-${id}`);
      button.innerHTML = icon(on ? shown : hidden);
      button.setAttribute('aria-pressed', String(on));
      button.setAttribute('aria-label', `${on ? 'Turn off' : 'Turn on'} ${kind}`);
      button.title = button.getAttribute('aria-label');
    }
    $('lobby').classList.toggle('has-sound', Boolean(this.#meter));
    $('lobby').classList.toggle('has-picture', Boolean($('preview').srcObject));
    const opening = this.#wanted.camera && this.#tracks.camera;
    $('preview-text').textContent = opening ? 'Starting the camera…' : 'Camera is off';
    const problems = Object.values(this.#notices);
    $('device-notice').hidden = problems.length === 0;
    const sentences = [...new Set(problems.map((error) => error.message))];
    $('device-notice').textContent = sentences.join(' ') + (problems.length ? ' You can join anyway.' : '');
    this.#dressPreview();
  }

  #dressPreview() {
    dress($('preview-avatar'), $('name').value.trim() || '?');
  }

  #startMeter(track) {
    this.#stopMeter();
    try {
      const context = new AudioContext();
      const analyser = new AnalyserNode(context, { fftSize: 512 });
      context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      const timer = setInterval(() => {
        analyser.getFloatTimeDomainData(samples);
        const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
        const level = Math.min(1, Math.max(0, 1 + Math.log10(power + 1e-9) / 5));
        $('meter').style.setProperty('--level', level.toFixed(3));
      }, METER_INTERVAL_MS);
      this.#meter = () => { clearInterval(timer); context.close(); };
    } catch { /* Without WebAudio there is no meter. */ }
  }

  #stopMeter() {
    this.#meter?.();
    this.#meter = null;
    $('meter').style.setProperty('--level', 0);
  }
}

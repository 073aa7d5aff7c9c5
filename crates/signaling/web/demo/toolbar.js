// The buttons of a call and their keys.

import { showDialog, showError } from './dialogs.js';
import { icon } from './icons.js';

const $ = (id) => document.getElementById(id);

/** Microphone, camera, screen, view, chat, statistics, devices, leave. */
export class Toolbar {
  #call;
  #room;
  #devices;
  #onKey = (event) => this.#handleKey(event);
  /** Key → button. */
  #keys = { m: 'tool-mic', v: 'tool-camera', s: 'tool-screen', g: 'tool-view', c: 'tool-chat', i: 'tool-stats' };

  constructor(call, room, devices) {
    this.#call = call;
    this.#room = room;
    this.#devices = devices;
  }

  open() {
    const actions = {
      'tool-mic': () => this.#toggle('microphone', this.#devices.openMicrophone, { own: true }),
      'tool-camera': () => this.#toggle('camera', this.#devices.openCamera, { acquire: this.#devices.openCamera }),
      'tool-screen': () => this.#toggleScreen(),
      'tool-view': () => this.#call.setView(this.#call.view === 'grid' ? 'speaker' : 'grid'),
      'tool-chat': () => this.#call.chat.toggle(),
      'tool-stats': () => this.#call.setStats(!this.#call.stats),
      'tool-devices': () => this.#call.chooseDevices(),
      'tool-more': () => this.#showMore(),
      'tool-leave': () => this.#room.leave(),
    };
    for (const [id, action] of Object.entries(actions)) $(id).onclick = () => this.#run(id, action);
    $('tool-screen').hidden = !navigator.mediaDevices?.getDisplayMedia;
    addEventListener('keydown', this.#onKey);
    this.render();
  }

  close() {
    removeEventListener('keydown', this.#onKey);
  }

  /** One action of a button at a time; errors become dialogs. */
  async #run(id, action) {
    const button = $(id);
    if (button.classList.contains('working')) return;
    button.classList.add('working');
    try {
      await action();
    } catch (error) {
      const cancelled = id === 'tool-screen' && error.code === 'permissionDenied';
      if (!cancelled && error.code !== 'closed') showError(error);
    } finally {
      button.classList.remove('working');
      this.render();
    }
  }

  async #toggle(source, open, options) {
    const publication = this.#room.publication(source);
    if (!publication) await this.#room.publish(await open(), { source, ...options });
    else if (publication.muted) await publication.unmute();
    else await publication.mute();
  }

  async #toggleScreen() {
    const screen = this.#room.publication('screen');
    if (!screen) return void (await this.#room.publishScreen({ audio: true }));
    screen.stop();
    this.#room.publication('screenAudio')?.stop();
    this.#call.setView(this.#call.view);
  }

  /** What has no place of its own on a phone. */
  async #showMore() {
    const body = document.createElement('div');
    body.className = 'dialog-menu';
    body.append(...['tool-view', 'tool-stats', 'tool-devices'].map((id) => {
      const item = document.createElement('button');
      item.type = 'button';
      item.innerHTML = $(id).innerHTML;
      item.onclick = () => body.closest('dialog').close(id);
      return item;
    }));
    const chosen = await showDialog({ title: 'More', body, actions: [['', 'Close']] });
    if (chosen) $(chosen).click();
  }

  render() {
    const mic = this.#room.publication('microphone');
    const camera = this.#room.publication('camera');
    const sharing = Boolean(this.#room.publication('screen'));
    const micOn = Boolean(mic && !mic.muted);
    const cameraOn = Boolean(camera && !camera.muted);
    const grid = this.#call.view === 'grid';
    this.#dress('tool-mic', micOn ? 'mic' : 'micOff', micOn ? 'Mute' : 'Unmute', 'M', micOn);
    this.#dress('tool-camera', cameraOn ? 'camera' : 'cameraOff', cameraOn ? 'Stop video' : 'Start video', 'V', cameraOn);
    this.#dress('tool-screen', 'screen', sharing ? 'Stop sharing' : 'Share screen', 'S', sharing);
    this.#dress('tool-view', grid ? 'speaker' : 'grid', grid ? 'Speaker view' : 'Grid view', 'G');
    const { unread, badge, isOpen } = this.#call.chat;
    this.#dress('tool-chat', 'chat', 'Chat', 'C', isOpen);
    $('tool-chat').dataset.badge = badge;
    $('tool-chat').setAttribute('aria-label', unread ? `Chat, ${unread} unread` : 'Chat');
    $('tool-chat').setAttribute('aria-expanded', String(isOpen));
    this.#dress('tool-stats', 'stats', this.#call.stats ? 'Hide statistics' : 'Statistics', 'I', this.#call.stats);
    this.#dress('tool-devices', 'settings', 'Devices');
    this.#dress('tool-more', 'more', 'More');
    this.#dress('tool-leave', 'leave', 'Leave');
    $('tool-mic').classList.toggle('off', !micOn);
    $('tool-camera').classList.toggle('off', !cameraOn);
  }

  #dress(id, name, label, key = '', pressed = null) {
    const button = $(id);
    button.innerHTML = `${icon(name)}<span>${label}</span>`;
    button.title = key ? `${label} (${key})` : label;
    button.setAttribute('aria-label', label);
    if (key) button.setAttribute('aria-keyshortcuts', key);
    if (pressed !== null) button.dataset.on = String(pressed);
  }

  #handleKey(event) {
    const typing = event.target.closest?.('input, select, textarea, dialog');
    if (typing || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const id = this.#keys[event.key.toLowerCase()];
    if (!id || $(id).hidden) return;
    event.preventDefault();
    $(id).click();
  }
}

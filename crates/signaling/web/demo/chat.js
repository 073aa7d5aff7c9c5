// The chat beside the pictures: data messages with a topic of their own.

import { showError } from './dialogs.js';

const $ = (id) => document.getElementById(id);

const TOPIC = 'chat';
/** Messages kept in the panel; the oldest go first. */
const KEPT = 500;
const BADGE_MAX = 99;

/** Panel, its messages, and how many of them have not been seen. */
export class Chat {
  #room;
  #onChange;
  unread = 0;

  constructor(room, onChange) {
    this.#room = room;
    this.#onChange = onChange;
    room.on('data', (message) => this.#onData(message));
    room.on('decryptionChanged', ({ participant, publication, ok }) => {
      if (!publication && !ok) this.#add('', `${participant.name} writes encrypted messages: they need the passphrase.`);
    });
    room.on('dataDropped', ({ messages }) => this.#add('', `${messages} messages were lost: this page reads too slowly.`));
    room.on('grantsChanged', () => this.#render());
  }

  get isOpen() { return !$('chat').hidden; }

  /** Not in words alone: the number is in the button's label, too. */
  get badge() { return this.unread > BADGE_MAX ? `${BADGE_MAX}+` : String(this.unread || ''); }

  open() {
    $('chat-log').replaceChildren();
    $('chat-form').onsubmit = (event) => { event.preventDefault(); this.#send(); };
    // A click by a finger or a mouse needs no focus ring afterwards, one by a key does.
    $('chat-close').onclick = ({ detail }) => this.toggle(false, detail === 0);
    $('chat').onkeydown = (event) => { if (event.key === 'Escape') this.toggle(false); };
    this.#render();
  }

  close() { $('chat').hidden = true; }

  /** Opens with the cursor in the text, closes with the focus on the button. */
  toggle(open = !this.isOpen, refocus = true) {
    $('chat').hidden = !open;
    if (open) {
      this.unread = 0;
      $('chat-log').scrollTop = $('chat-log').scrollHeight;
      ($('chat-text').disabled ? $('chat-close') : $('chat-text')).focus();
    } else if (refocus) {
      $('tool-chat').focus();
    }
    this.#onChange();
  }

  #render() {
    const grants = this.#room.grants;
    const silent = Boolean(grants && (!grants.canPublishData || grants.hidden));
    $('chat-text').disabled = $('chat-send').disabled = silent;
    $('chat-text').placeholder = silent ? 'You may only read' : 'Message to everybody';
  }

  async #send() {
    const input = $('chat-text');
    const text = input.value.trim();
    if (!text) return;
    try {
      await this.#room.sendData(text, { topic: TOPIC });
      input.value = '';
      this.#add('You', text, true);
    } catch (error) {
      showError(error);
    }
  }

  #onData({ participant, topic, payload, encrypted }) {
    if (topic !== TOPIC || typeof payload !== 'string') return;
    // The server could have written it.
    if (this.#room.encrypted && !encrypted) return this.#add('', `${participant?.name ?? 'Somebody'} wrote without encryption: not shown.`);
    this.#add(participant?.name ?? 'Somebody', payload);
    if (!this.isOpen) this.unread += 1;
    this.#onChange();
  }

  /** Text stays text: nothing of a message is read as HTML. */
  #add(name, text, own = false) {
    const log = $('chat-log');
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    const item = document.createElement('p');
    item.dataset.time = new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    item.classList.toggle('own', own);
    item.classList.toggle('system', !name);
    if (name) {
      const who = document.createElement('b');
      who.textContent = name;
      item.append(who, ' ');
    }
    const words = document.createElement('span');
    words.textContent = text;
    item.append(words);
    log.append(item);
    while (log.childElementCount > KEPT) log.firstElementChild.remove();
    if (atEnd || own) log.scrollTop = log.scrollHeight;
  }
}

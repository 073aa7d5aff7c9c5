// One picture with its name, mute mark and statistics.

import { icon } from './icons.js';

/** Gives an avatar initials and a colour of its own. */
export function dress(element, name) {
  const words = name.split(/[\s_-]+/).filter(Boolean);
  const initials = (words.length > 1 ? words[0][0] + words[words.length - 1][0] : name.slice(0, 2)) || '?';
  let hash = 2166136261; // FNV-1a
  for (const letter of name) hash = Math.imul(hash ^ letter.codePointAt(0), 16777619) >>> 0;
  element.textContent = initials.toUpperCase();
  element.style.setProperty('--hue', hash % 360);
}

/** A tile of the stage. */
export class Tile {
  #detach = null;
  #shown = null;
  /** Why there is no picture. */
  #notes = { secrecy: '', pause: '' };

  /** `key` names it; `kind` is camera or screen; `own` if the picture is our own. */
  constructor({ key, identity, name, kind, own, onPin }) {
    Object.assign(this, { key, name, kind, own, spokeAt: 0, publication: null });
    const element = document.createElement('article');
    element.className = `tile ${kind}${own ? ' own' : ''} no-picture`;
    element.dataset.identity = identity;
    element.dataset.kind = kind;
    element.innerHTML = `
      <video playsinline autoplay ${own ? 'muted' : ''}></video>
      <span class="avatar" aria-hidden="true"></span>
      <span class="loading" aria-hidden="true"></span>
      <p class="note" role="status" hidden></p>
      <dl class="figures" hidden></dl>
      <button type="button" class="pin" aria-pressed="false">${icon('pin')}</button>
      <p class="label"><span class="lock" title="Encrypted from end to end" hidden>${icon('lock')}<span class="hidden-text">encrypted</span></span><span class="mic-off" hidden>${icon('micOff')}<span class="hidden-text">muted</span></span><span class="name"></span></p>`;
    const find = (selector) => element.querySelector(selector);
    Object.assign(this, {
      element, video: find('video'), avatar: find('.avatar'), figures: find('.figures'),
      micOff: find('.mic-off'), lock: find('.lock'), note: find('.note'), nameElement: find('.name'), pinButton: find('.pin'),
    });
    if (own && kind === 'camera') this.video.classList.add('mirrored');
    this.pinButton.addEventListener('click', () => onPin(this));
    element.addEventListener('dblclick', () => onPin(this));
    // Where tiles are too small for the button, fingers have the whole tile.
    element.addEventListener('click', ({ target }) => { if (matchMedia('(hover: none)').matches && !this.pinButton.contains(target) && !this.pinButton.offsetParent) onPin(this); });
    for (const event of ['loadeddata', 'playing', 'resize']) this.video.addEventListener(event, () => this.#onPicture());
    this.video.addEventListener('emptied', () => element.classList.remove('playing'));
    this.setName(name);
  }

  setName(name) {
    this.name = name;
    dress(this.avatar, name);
    const text = this.kind === 'screen' ? (this.own ? 'Your screen' : `${name}’s screen`) : this.own ? `${name} (you)` : name;
    this.nameElement.textContent = this.nameElement.title = text;
    this.element.setAttribute('aria-label', text);
    this.setPinned(this.element.classList.contains('pinned'));
  }

  /** Shows a publication, or the avatar if there is none or it is muted. */
  show(room, publication) {
    const visible = publication && !publication.muted && !publication.stopped ? publication : null;
    const track = this.own ? visible?.track ?? null : visible;
    this.publication = publication;
    if (track === this.#shown) return;
    this.#shown = track;
    this.#detach?.();
    this.#detach = visible ? room.attach(visible, this.video) : null;
    this.element.classList.toggle('no-picture', !visible);
  }

  #onPicture() {
    const { videoWidth, videoHeight } = this.video;
    this.element.classList.toggle('playing', videoWidth > 2);
    this.element.classList.toggle('upright', videoHeight > videoWidth);
  }

  setMicMuted(muted) {
    this.micOff.hidden = !muted;
    this.element.classList.toggle('mic-muted', muted);
  }

  setSpeaking(speaking) {
    this.element.classList.toggle('speaking', speaking);
    if (speaking) this.spokeAt = performance.now();
  }

  setPinned(pinned) {
    this.element.classList.toggle('pinned', pinned);
    this.pinButton.setAttribute('aria-pressed', String(pinned));
    this.pinButton.title = pinned ? 'Unpin' : 'Show large';
    this.pinButton.setAttribute('aria-label', `${pinned ? 'Unpin' : 'Show large:'} ${this.nameElement.textContent}`);
  }

  /** Says on the last tile that there are more people than tiles; '' takes that back. */
  setMore(text) {
    if (text) this.element.dataset.more = text;
    else delete this.element.dataset.more;
  }

  /** Puts it somewhere, or hides it (which also pauses its video at the server). */
  place(rect) {
    this.element.hidden = !rect;
    if (!rect) return;
    const { style } = this.element;
    style.width = `${Math.floor(rect.width)}px`;
    style.height = `${Math.floor(rect.height)}px`;
    style.transform = `translate(${Math.round(rect.x)}px, ${Math.round(rect.y)}px)`;
    this.element.classList.toggle('small', rect.width < 280);
  }

  /** Says why there is no picture, in its place; an empty text takes that back. */
  setNote(text) { this.#note({ pause: text }); }

  /** Says that what this person sends cannot be shown, or takes that back. */
  setSecrecy(text) { this.#note({ secrecy: text }); }

  setLocked(locked) { this.lock.hidden = !locked; }

  #note(change) {
    Object.assign(this.#notes, change);
    const text = this.#notes.secrecy || this.#notes.pause;
    this.note.hidden = !text;
    this.note.textContent = text;
    this.element.classList.toggle('paused', Boolean(text));
  }

  /** Rows of [label, value] over the picture; null hides them. */
  setFigures(rows) {
    this.figures.hidden = !rows;
    if (!rows) return;
    this.figures.replaceChildren(...rows.flatMap(([label, value]) => {
      const term = document.createElement('dt');
      const detail = document.createElement('dd');
      term.textContent = label;
      detail.textContent = value;
      return [term, detail];
    }));
  }

  remove() {
    this.#detach?.();
    this.element.remove();
  }
}

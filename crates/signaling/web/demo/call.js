// The call: events of the room become tiles, buttons and notices.

import { Chat } from './chat.js';
import { localFigures, pauseNote, remoteFigures } from './figures.js';
import { showDialog, showError, toast } from './dialogs.js';
import { icon } from './icons.js';
import { changePassphrase, secrecyNote } from './secrecy.js';
import { gridLayout, stageLayout } from './layout.js';
import { Tile } from './tile.js';
import { Toolbar } from './toolbar.js';

const $ = (id) => document.getElementById(id);

/** How often the figures are read, in ms. */
const FIGURES_INTERVAL_MS = 1000;
/** Connecting is not worth a banner before this, in ms. */
const CONNECTING_PATIENCE_MS = 2500;

const STATES = { connecting: 'Connecting', connected: 'Connected', interrupted: 'Unstable', reconnecting: 'Reconnecting', closed: 'Left' };

/** The page during the call. */
export class Call {
  #room;
  #devices;
  #tiles = new Map();
  #pinned = null;
  #lastSpeaker = null;
  #toolbar;
  #observer = new ResizeObserver(() => this.#arrange());
  #figuresTimer = null;
  #bannerTimer = null;

  /** `link()` leads others into the room; null where it takes a token of their own. */
  constructor(room, devices, { view, stats, link, onPassphrase }) {
    this.link = link;
    this.onPassphrase = onPassphrase;
    this.#room = room;
    this.#devices = devices;
    this.view = view === 'speaker' ? 'speaker' : 'grid';
    this.stats = stats;
    this.chat = new Chat(room, () => this.#toolbar.render());
    this.#toolbar = new Toolbar(this, room, devices);
    room.on('participantJoined', ({ participant }) => { toast(`${participant.name} joined`); this.#refresh(); });
    room.on('participantLeft', ({ participant }) => { toast(`${participant.name} left`); this.#refresh(); });
    room.on('published', ({ participant, publication }) => {
      if (publication.source === 'screen') toast(`${participant.name} shares the screen`);
      this.#refresh();
    });
    for (const event of ['participantUpdated', 'unpublished', 'muted', 'decryptionChanged', 'localPublished', 'localUnpublished', 'localMuted']) room.on(event, () => this.#refresh());
    room.on('slotChanged', (slot) => this.#onSlotChanged(slot));
    room.on('speakers', ({ speakers }) => this.#onSpeakers(speakers));
    room.on('connectionState', ({ state }) => this.#onState(state));
    room.on('audioBlocked', () => this.#onState(room.state));
    room.on('error', (error) => showError(error));
  }

  open() {
    const room = this.#room;
    document.title = `${room.name} – Plenum`;
    $('call').hidden = false;
    $('room-name').textContent = room.name;
    $('copy-link').hidden = !this.link();
    $('copy-link').innerHTML = `${icon('link')}<span>Copy link</span>`;
    $('copy-link').title = 'Copy a link to this room';
    $('copy-link').onclick = () => this.#copyLink();
    $('change-passphrase').hidden = !room.encrypted;
    $('change-passphrase').innerHTML = `${icon('lock')}<span>Encrypted</span>`;
    $('change-passphrase').title = 'Encrypted from end to end; change the passphrase';
    $('change-passphrase').onclick = () => changePassphrase(room, this.onPassphrase);
    this.#observer.observe($('stage'));
    if (this.#devices.chosen.speaker) room.setSpeaker(this.#devices.chosen.speaker).catch(() => {});
    this.chat.open();
    this.#toolbar.open();
    this.setStats(this.stats);
    this.#onState(room.state);
    this.#refresh();
  }

  close() {
    clearInterval(this.#figuresTimer);
    clearTimeout(this.#bannerTimer);
    this.#observer.disconnect();
    this.chat.close();
    this.#toolbar.close();
    for (const tile of this.#tiles.values()) tile.remove();
    this.#tiles.clear();
    $('call').hidden = true;
    $('banner').hidden = true;
  }

  async #copyLink() {
    try {
      await navigator.clipboard.writeText(this.link());
      toast('Link copied');
    } catch { // without HTTPS, or refused
      await showDialog({ title: 'Link to this room', text: this.link(), actions: [['close', 'Done']] });
    }
  }

  setView(view) {
    this.view = view;
    this.#pinned = null;
    this.#refresh();
  }

  setStats(on) {
    this.stats = on;
    clearInterval(this.#figuresTimer);
    if (on) this.#figuresTimer = setInterval(() => this.#readFigures(), FIGURES_INTERVAL_MS);
    this.#readFigures();
    this.#toolbar.render();
  }

  // ---- tiles

  /** Makes the tiles equal to what the room is now. */
  #refresh() {
    if ($('call').hidden) return;
    const room = this.#room;
    const wanted = new Map();
    const add = (person, own, kind, publication, mic) => wanted.set(`${own ? 'own' : person.id}:${kind}`, { person, own, kind, publication, mic });
    add(room.local, true, 'camera', room.publication('camera'), room.publication('microphone'));
    if (room.publication('screen')) add(room.local, true, 'screen', room.publication('screen'));
    for (const person of room.participants.values()) {
      add(person, false, 'camera', person.publication('camera'), person.publication('microphone'));
      if (person.publication('screen')) add(person, false, 'screen', person.publication('screen'));
    }
    for (const [key, tile] of this.#tiles) if (!wanted.has(key)) this.#removeTile(tile);
    for (const [key, entry] of wanted) this.#updateTile(key, entry);
    const count = room.participants.size + 1;
    $('count').textContent = count === 1 ? 'Only you' : `${count} people`;
    this.#arrange();
    this.#toolbar.render();
  }

  #updateTile(key, { person, own, kind, publication, mic }) {
    let tile = this.#tiles.get(key);
    if (!tile) {
      tile = new Tile({ key, identity: person.identity, name: person.name, kind, own, onPin: (it) => this.#pin(it) });
      this.#tiles.set(key, tile);
      $('stage').append(tile.element);
      this.#arrange();
    }
    if (tile.name !== person.name) tile.setName(person.name);
    tile.show(this.#room, publication);
    if (kind === 'camera') tile.setMicMuted(!mic || mic.muted);
    const shown = [publication, kind === 'camera' ? mic : null].filter(Boolean);
    tile.setLocked(shown.length > 0 && shown.every((it) => (own ? this.#room.encrypted : it.encrypted && it.readable)));
    tile.setSecrecy(own ? '' : secrecyNote(this.#room, shown));
  }

  #removeTile(tile) {
    tile.remove();
    this.#tiles.delete(tile.key);
    if (this.#pinned === tile.key) this.#pinned = null;
    if (this.#lastSpeaker === tile.key) this.#lastSpeaker = null;
  }

  #pin(tile) {
    this.#pinned = this.#pinned === tile.key ? null : tile.key;
    this.#arrange();
  }

  /** Which tile is large: pinned, else a shared screen, else in speaker view who spoke last. */
  #main() {
    const tiles = [...this.#tiles.values()];
    if (this.#pinned) return this.#tiles.get(this.#pinned);
    const screen = tiles.filter((tile) => tile.kind === 'screen').sort((a, b) => a.own - b.own)[0];
    if (screen) return screen;
    if (this.view !== 'speaker' || tiles.length < 2) return null;
    return this.#tiles.get(this.#lastSpeaker) ?? tiles.find((tile) => !tile.own) ?? null;
  }

  #arrange() {
    const { clientWidth: width, clientHeight: height } = $('stage');
    const tiles = [...this.#tiles.values()];
    const main = this.#main();
    const others = tiles.filter((tile) => tile !== main);
    const layout = main ? stageLayout : gridLayout;
    let rects = layout(tiles.length, width, height);
    const room = rects.length - (main ? 1 : 0);
    // Where not all fit, those who spoke last stay; among those shown nobody changes place.
    const shown = new Set(others.length > room ? [...others].sort((a, b) => b.spokeAt - a.spokeAt || b.own - a.own).slice(0, room) : others);
    const order = [...(main ? [main] : []), ...others.filter((tile) => shown.has(tile))];
    for (const tile of tiles) {
      const index = order.indexOf(tile);
      tile.place(index < 0 ? null : rects[index]);
      tile.element.classList.toggle('main', tile === main);
      tile.setPinned(tile.key === this.#pinned);
      tile.setMore(tiles.length > order.length && index === order.length - 1 ? `+${tiles.length - order.length}` : '');
    }
    $('stage').dataset.layout = main ? 'stage' : 'grid';
  }

  /** A paused picture says why. */
  #onSlotChanged({ publication, layer, reason }) {
    for (const tile of this.#tiles.values()) {
      if (!tile.own && publication && tile.publication?.id === publication.id) tile.setNote(pauseNote({ layer, reason }));
    }
  }

  #onSpeakers(speakers) {
    const speaking = new Set(speakers.map(({ participant }) => participant.id));
    for (const tile of this.#tiles.values()) {
      if (tile.kind !== 'camera') continue;
      tile.setSpeaking(speaking.has(tile.own ? this.#room.local.id : tile.key.split(':')[0]));
    }
    const loudest = speakers.find(({ participant }) => participant.id !== this.#room.local.id);
    if (loudest) this.#lastSpeaker = `${loudest.participant.id}:camera`;
    this.#arrange();
  }

  // ---- connection and figures

  #onState(state) {
    $('state').dataset.state = state;
    $('state').lastElementChild.textContent = STATES[state] ?? state;
    clearTimeout(this.#bannerTimer);
    if (state === 'reconnecting') this.#banner('Reconnecting…', true);
    else if (state === 'interrupted') this.#banner('The connection is unstable…', true);
    else if (state === 'connecting') this.#bannerTimer = setTimeout(() => this.#banner('Connecting…', true), CONNECTING_PATIENCE_MS);
    else if (this.#room.audioBlocked) this.#banner('The browser has paused the sound.', false, 'Turn on', () => this.#room.startAudio());
    else $('banner').hidden = true;
  }

  #banner(text, busy, action = '', onAction = null) {
    $('banner').hidden = false;
    $('banner').classList.toggle('busy', busy);
    $('banner-text').textContent = text;
    $('banner-action').hidden = !action;
    $('banner-action').textContent = action;
    $('banner-action').onclick = onAction;
  }

  async #readFigures() {
    if (!this.stats) {
      for (const tile of this.#tiles.values()) tile.setFigures(null);
      return;
    }
    const [{ connection: { rtt }, remotes, publications }, explanation] = await Promise.all([this.#room.getStats(), this.#room.explain().catch(() => null)]);
    for (const tile of this.#tiles.values()) {
      const id = tile.publication?.id;
      if (!tile.publication || tile.publication.muted) tile.setFigures(null);
      else if (tile.own) tile.setFigures(localFigures(publications.find((p) => p.publication === id), rtt));
      else tile.setFigures(remoteFigures(remotes.find((remote) => remote.publication === id), rtt, explanation));
    }
  }

  /** Lets the user choose other devices during the call. */
  async chooseDevices() {
    const body = document.createElement('div');
    body.className = 'devices';
    await this.#devices.render(body, (kind) => this.#changeDevice(kind).catch(showError));
    await showDialog({ title: 'Devices', body, actions: [['close', 'Done']] });
  }

  async #changeDevice(kind) {
    if (kind === 'speaker') return this.#room.setSpeaker(this.#devices.chosen.speaker);
    const publication = this.#room.publication(kind);
    if (!publication || (publication.muted && !publication.track)) return;
    const old = publication.track;
    await publication.replaceTrack(kind === 'camera' ? await this.#devices.openCamera() : await this.#devices.openMicrophone());
    old?.stop();
    this.#refresh();
  }
}

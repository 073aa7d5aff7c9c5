// @ts-check
// The others and what they publish.

import { showIn } from './view.js';

/** A track that somebody else publishes. */
export class RemotePublication {
  constructor(participant, info) {
    this.participant = participant;
    this._views = new Map();
    this.id = info.id;
    /** The track that carries it now, if a slot does. @type {MediaStreamTrack|null} */
    this.track = null;
    /** Whether its frames can be decrypted, or need not be, as far as known. */
    this.readable = true;
    this._update(info);
  }

  _update({ trackId, kind, source, name = '', muted = false, encrypted = false, layers = [], codec = '' }) {
    this.trackId = trackId;
    this.kind = kind;
    this.source = source;
    this.name = name;
    this.muted = muted;
    this.encrypted = encrypted;
    this.layers = layers;
    this.codec = codec;
  }

  /** Largest of the sizes at which it is shown, in device pixels. */
  _viewport() {
    let best = { width: 0, height: 0 };
    for (const view of this._views.values()) {
      const size = view.size();
      if (size.width * size.height > best.width * best.height) best = size;
    }
    return best;
  }

  _show(track) {
    if (this.track === track) return;
    this.track = track;
    for (const element of this._views.keys()) showIn(element, track);
  }
}

/** Somebody else in the room. */
export class RemoteParticipant {
  constructor(info) {
    this.id = info.id;
    /** @type {Map<string, RemotePublication>} */ this.publications = new Map();
    this._update(info);
  }

  _update({ identity, name, metadata = '', attributes = {}, kind = 'standard' }) {
    this.identity = identity;
    this.name = name || identity;
    this.metadata = metadata;
    this.attributes = attributes;
    this.kind = kind;
  }

  /** The publication of a source, if any. @param {string} source */
  publication(source) {
    return [...this.publications.values()].find((publication) => publication.source === source) ?? null;
  }
}

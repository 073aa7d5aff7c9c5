// @ts-check
// Keeps the others, their publications and what the slots show as the server tells.

import { RemoteParticipant, RemotePublication } from './remote.js';

/** The others in one room. */
export class People {
  constructor(room) {
    this.room = room;
  }

  /** Brings the list of others up to date, after a join or a rejoin. */
  sync(infos, announce) {
    for (const known of [...this.room.participants.values()]) {
      const same = infos.find((info) => info.id === known.id && info.identity === known.identity);
      if (!same) this.#remove(known.id, 'connectionLost');
    }
    for (const info of infos) this.#update(info, announce);
  }

  #update(info, announce = true) {
    if (info.id === this.room.local.id) return;
    const known = this.room.participants.get(info.id);
    const participant = known ?? new RemoteParticipant(info);
    this.room.participants.set(info.id, participant);
    participant._update(info);
    if (!known && announce) this.room._emit('participantJoined', { participant });
    for (const publication of [...participant.publications.values()]) {
      const same = info.publications.find((p) => p.id === publication.id && p.trackId === publication.trackId);
      if (!same) this.#removePublication(participant, publication.id);
    }
    for (const publication of info.publications) this.#updatePublication(participant, publication, announce);
  }

  #updatePublication(participant, info, announce = true) {
    const known = participant.publications.get(info.id);
    const publication = known ?? new RemotePublication(participant, info);
    const wasMuted = publication.muted;
    publication._update(info);
    participant.publications.set(info.id, publication);
    if (!known && announce) this.room._emit('published', { participant, publication });
    this.room._encryption.onPublication(publication);
    if (known && wasMuted !== publication.muted) this.room._emit('muted', { participant, publication, muted: publication.muted });
    if (publication._views.size) this.room._connection.slots.show(publication);
    // The media plane may have told about a slot before the room told about the publication.
    const early = known ? null : this.room._connection.slots.all.find((slot) => slot.told?.publication === info.id);
    if (early) this.#onSlotChanged(early.told);
  }

  #removePublication(participant, id) {
    const publication = participant?.publications.get(id);
    if (!publication) return;
    participant.publications.delete(id);
    for (const element of [...publication._views.keys()]) this.room._stage.release(publication, element);
    this.room._emit('unpublished', { participant, publication });
  }

  #remove(id, reason) {
    const participant = this.room.participants.get(id);
    if (!participant) return;
    for (const publication of [...participant.publications.keys()]) this.#removePublication(participant, publication);
    this.room.participants.delete(id);
    this.room._emit('participantLeft', { participant, reason });
  }

  /** Takes in what the server tells. */
  handle(message) {
    const participant = this.room.participants.get(message.participant);
    switch (message.type) {
      case 'participantJoined': return this.#update(message.participant);
      case 'participantUpdated': return this.#onUpdated(message);
      case 'grantsChanged': return this.#onGrants(message);
      case 'participantLeft': return this.#remove(message.id, message.reason);
      case 'published': return participant && this.#updatePublication(participant, message.publication);
      case 'unpublished': return this.#onUnpublished(participant, message);
      case 'muted': return this.#onMuted(participant, message);
      case 'slotChanged': return this.#onSlotChanged(message);
      case 'speakers': return this.#onSpeakers(message.speakers);
    }
  }

  #onUpdated({ id, name, metadata, attributes }) {
    const participant = id === this.room.local.id ? this.room.local : this.room.participants.get(id);
    if (!participant) return;
    Object.assign(participant, { name, metadata, attributes });
    this.room._emit('participantUpdated', { participant });
  }

  #onGrants({ grants }) {
    const before = this.room.grants;
    this.room.grants = grants;
    if (grants.canSubscribe && !before?.canSubscribe) this.room._connection.negotiate(); // its slots were refused
    this.room._emit('grantsChanged', { grants });
  }

  #onUnpublished(participant, { publication }) {
    if (participant) return this.#removePublication(participant, publication);
    this.room.publications.find((p) => p.id === publication)?.stop();
  }

  #onMuted(participant, { publication: id, muted }) {
    const publication = participant?.publications.get(id);
    if (!publication) return this.room.publications.find((p) => p.id === id)?._onServerMute(muted);
    publication.muted = muted;
    this.room._emit('muted', { participant, publication, muted });
  }

  #onSpeakers(speakers) {
    const who = (id) => (id === this.room.local.id ? this.room.local : this.room.participants.get(id));
    this.room.speakers = speakers.map((s) => ({ ...s, participant: who(s.participant) })).filter((s) => s.participant);
    this.room._emit('speakers', { speakers: this.room.speakers });
  }

  #onSlotChanged(message) {
    const { mid, publication: id, participant: owner, layer, reason } = message;
    const slot = this.room._connection.slots.byMid(mid);
    if (!slot) return;
    slot.told = message;
    const before = slot.binding.publication;
    const participant = this.room.participants.get(owner) ?? null;
    const publication = participant?.publications.get(id) ?? null;
    slot.binding = { publication, participant, layer: layer ?? null, reason };
    if (before !== publication || !publication) this.room._encryption.onBinding(slot);
    if (before !== publication) {
      if (before?.track === slot.track) {
        before._show(null);
        this.room._emit('trackDetached', { mid, publication: before, participant: before.participant, track: slot.track });
      }
      if (publication && (slot.kind === 'audio' || slot.wanted === publication)) {
        publication._show(slot.track);
        this.room._emit('trackAttached', { mid, publication, participant, track: slot.track });
      }
    }
    this.room._emit('slotChanged', { mid, kind: slot.kind, ...slot.binding });
  }
}

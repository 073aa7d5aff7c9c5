// @ts-check
// Shows publications in elements.

import { PlenumError } from './errors.js';
import { LocalPublication } from './local-publication.js';
import { View, showIn } from './view.js';

/** What one room shows, and where. */
export class Stage {
  constructor(room) {
    this.room = room;
  }

  /** Shows a publication, own or remote, in a <video>; returns a function that detaches it. */
  attach(publication, element) {
    this.detach(element);
    if (this.room.state === 'closed') return () => {};
    if (publication instanceof LocalPublication) {
      element.muted = true;
      showIn(element, publication.track);
    } else {
      if (publication.kind !== 'video') throw new PlenumError('notPermitted', 'Only video can be attached; sound plays by itself.');
      const show = () => { if (this.room._connection && publication._views.size) this.room._connection.slots.show(publication); };
      publication._views.set(element, new View(element, show));
      show();
      if (publication.track) showIn(element, publication.track);
    }
    return () => this.detach(element);
  }

  /** Stops showing anything in an element. */
  detach(element) {
    for (const participant of this.room.participants.values()) {
      for (const publication of participant.publications.values()) this.release(publication, element);
    }
    if (element.srcObject) element.srcObject = null;
  }

  /** Stops showing one publication in an element. */
  release(publication, element) {
    const view = publication._views.get(element);
    if (!view) return;
    view.stop();
    publication._views.delete(element);
    element.srcObject = null;
    if (publication._views.size) this.room._connection?.slots.show(publication);
    else this.room._connection?.slots.release(publication);
  }

  /** Stops showing anybody anywhere. */
  clear() {
    for (const participant of this.room.participants.values()) {
      for (const publication of participant.publications.values()) {
        for (const element of [...publication._views.keys()]) this.release(publication, element);
      }
    }
  }
}

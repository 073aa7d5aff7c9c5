// @ts-check
// Plays the sound of the others.

import { deviceError } from './errors.js';

/** The players of one room, one for each audio slot. */
export class Sound {
  #players = [];
  #sinkId = '';

  constructor(room) {
    this.room = room;
  }

  play(slots) {
    for (const player of this.#players) player.srcObject = null;
    this.#players = slots.map((slot) => {
      const player = new Audio();
      if (this.#sinkId) player.setSinkId?.(this.#sinkId).catch(() => {});
      player.srcObject = new MediaStream([slot.track]);
      return player;
    });
    return this.start();
  }

  /** Plays, and tells if the browser wants a click first. */
  async start() {
    const results = await Promise.allSettled(this.#players.map((player) => player.play()));
    const blocked = results.some((result) => result.status === 'rejected' && result.reason?.name === 'NotAllowedError');
    if (blocked !== this.room.audioBlocked) {
      this.room.audioBlocked = blocked;
      this.room._emit('audioBlocked', { blocked });
    }
  }

  /** Chooses the loudspeaker, where the browser can. */
  async choose(deviceId) {
    try {
      await Promise.all(this.#players.map((player) => player.setSinkId?.(deviceId)));
      this.#sinkId = deviceId;
    } catch (error) {
      throw deviceError(error, 'speaker');
    }
  }

  stop() {
    for (const player of this.#players) player.srcObject = null;
  }
}

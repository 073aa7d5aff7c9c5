// @ts-check
// Events.

/** Minimal event emitter: `on` returns a function that ends the subscription. */
export class Emitter {
  #listeners = new Map();

  on(event, listener) {
    const set = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, set.add(listener));
    return () => this.off(event, listener);
  }

  once(event, listener) {
    const off = this.on(event, (detail) => { off(); listener(detail); });
    return off;
  }

  off(event, listener) {
    this.#listeners.get(event)?.delete(listener);
  }

  _emit(event, detail) {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try { listener(detail); } catch (error) { reportError(error); }
    }
  }
}

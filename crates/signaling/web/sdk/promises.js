// @ts-check
// Waiting.

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A promise with its ends; a rejection that nobody awaits is not reported as unhandled. */
export function deferred() {
  const ends = { settled: false };
  const promise = new Promise((yes, no) => {
    ends.resolve = (value) => { ends.settled = true; yes(value); };
    ends.reject = (reason) => { ends.settled = true; no(reason); };
  });
  promise.catch(() => {});
  return Object.assign(ends, { promise });
}

/** Waits that get longer, each up to half shorter or longer by chance, so that not all come at once. */
export class Backoff {
  #first;
  #longest;
  #next;
  #wake = null;

  /** @param {number[]} range The first and the longest wait, in ms; each is twice the one before. */
  constructor([first, longest]) {
    this.#first = this.#next = first;
    this.#longest = longest;
  }

  reset() { this.#next = this.#first; }

  async wait() {
    const woken = new Promise((wake) => { this.#wake = wake; });
    await Promise.race([sleep(this.#next * (0.5 + Math.random())), woken]);
    this.#next = Math.min(this.#next * 2, this.#longest);
  }

  /** Ends the wait. */
  wake() { this.#wake?.(); }
}

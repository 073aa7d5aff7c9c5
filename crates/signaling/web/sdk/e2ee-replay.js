// @ts-check
// Which messages came before: what is sent again by somebody on the way is not told twice.

/** How far behind the newest message of a sender one may come; lossy messages overtake each other. */
const WINDOW = 256;
/** Senders remembered; whose last message is longest ago is forgotten first. */
const SENDERS_MAX = 4096;

/** The counters that came, by the prefix of their sender's IVs. */
export class ReplayGuard {
  /** @type {Map<string, { newest: number, seen: Set<number> }>} */ #senders = new Map();

  /** Whether it comes for the first time, as far as remembered. @param {string} prefix @param {number} counter */
  accept(prefix, counter) {
    const sender = this.#senders.get(prefix) ?? { newest: -1, seen: new Set() };
    if (counter <= sender.newest - WINDOW || sender.seen.has(counter)) return false;
    sender.seen.add(counter);
    sender.newest = Math.max(sender.newest, counter);
    if (sender.seen.size > 2 * WINDOW) for (const old of sender.seen) if (old <= sender.newest - WINDOW) sender.seen.delete(old);
    this.#senders.delete(prefix);
    this.#senders.set(prefix, sender);
    if (this.#senders.size > SENDERS_MAX) this.#senders.delete(this.#senders.keys().next().value);
    return true;
  }
}

// Polling instead of sleeping.

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Asks `probe` until it answers something true, and returns that. Errors of the probe count as
 * "not yet" unless `fatal`; the last answer or error is told when time is up.
 */
export async function until(what, probe, { timeout = 20_000, every = 100, fatal = false } = {}) {
  const deadline = Date.now() + timeout;
  let last;
  for (;;) {
    try {
      last = await probe();
      if (last) return last;
    } catch (error) {
      if (fatal) throw error;
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`not within ${timeout} ms: ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
    await sleep(every);
  }
}

// @ts-check
// Waiting.

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A promise with its ends; a rejection that nobody awaits is not reported as unhandled. */
export function deferred() {
  let resolve, reject;
  const promise = new Promise((yes, no) => { resolve = yes; reject = no; });
  promise.catch(() => {});
  return { promise, resolve, reject };
}

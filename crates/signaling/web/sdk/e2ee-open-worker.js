// @ts-check
// Opens the worker, wherever the SDK came from.

const HERE = import.meta.url;
const OPTIONS = /** @type {WorkerOptions} */ ({ type: 'module', name: 'plenum-e2ee' });

/** Bundlers look for exactly the last line. Pages may only open workers of their own origin, but these may import from another. */
export function openWorker() {
  const here = new URL(HERE);
  if (here.protocol.startsWith('http') && here.origin !== location.origin) {
    const code = `import ${JSON.stringify(new URL('e2ee-worker.js', here).href)};`;
    const address = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
    const worker = new Worker(address, OPTIONS);
    worker.addEventListener('message', () => URL.revokeObjectURL(address), { once: true });
    return worker;
  }
  return new Worker(new URL('./e2ee-worker.js', import.meta.url), { type: 'module', name: 'plenum-e2ee' });
}

// @ts-check
// From a passphrase to keys: PBKDF2 (RFC 8018) makes guessing slow, HKDF (RFC 5869) gives each use
// a key of its own, so that sound cannot pass for a picture, nor either for a message.

/** Rounds of PBKDF2 with SHA-256; more makes guessing and joining slower. */
export const ITERATIONS = 600_000;
/** What keys are for. */
export const USES = ['audio', 'video', 'data'];
/** Bytes of a key id; two passphrases have the same one by chance in 1 of 65,536 cases, which costs a second attempt. */
export const ID_BYTES = 2;

const encoder = new TextEncoder();

/**
 * The keys of a passphrase in a room: the same for everybody who knows both, in whatever order
 * passphrases were changed before. They cannot be exported.
 *
 * @param {string} passphrase @param {string} room
 * @returns {Promise<{ id: Uint8Array, keys: Record<string, CryptoKey> }>}
 */
export async function deriveKeys(passphrase, room) {
  const secret = await crypto.subtle.importKey('raw', encoder.encode(passphrase.normalize('NFC')), 'PBKDF2', false, ['deriveBits']);
  const salt = encoder.encode(`plenum e2ee 1 ${room}`);
  const bits = await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: ITERATIONS }, secret, 256);
  const root = await crypto.subtle.importKey('raw', bits, 'HKDF', false, ['deriveBits', 'deriveKey']);
  const use = (name) => ({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: encoder.encode(`plenum e2ee 1 ${name}`) });
  const key = async (name) => [name, await crypto.subtle.deriveKey(use(name), root, { name: 'AES-GCM', length: 128 }, false, ['encrypt', 'decrypt'])];
  const [id, ...keys] = await Promise.all([crypto.subtle.deriveBits(use('id'), root, ID_BYTES * 8), ...USES.map(key)]);
  return { id: new Uint8Array(id), keys: Object.fromEntries(keys) };
}

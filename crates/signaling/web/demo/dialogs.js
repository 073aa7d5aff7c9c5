// Dialogs, toasts, and what each error is called.

const $ = (id) => document.getElementById(id);

const TITLES = {
  noCamera: 'No camera found',
  noMicrophone: 'No microphone found',
  permissionDenied: 'The browser blocked the device',
  deviceBusy: 'The device is busy',
  deviceLost: 'A device was disconnected',
  tokenMissing: 'An invitation is needed',
  tokenInvalid: 'This invitation is not valid',
  tokenExpired: 'This invitation has expired',
  notPermitted: 'This is not allowed',
  wrongRoom: 'This invitation is for another room',
  roomFull: 'The room is full',
  serverFull: 'The server is full',
  serverUnreachable: 'The server cannot be reached',
  mediaUnreachable: 'No media gets through',
  connectionLost: 'The connection was lost',
  encryptionUnsupported: 'This browser cannot encrypt',
  webrtcUnsupported: 'This browser cannot make calls',
  replaced: 'You joined from somewhere else',
  removed: 'You were removed from the room',
  roomClosed: 'The room was closed',
};

/** What to do where the sentence of the error speaks to developers. */
const HINTS = {
  tokenMissing: 'Ask whoever invited you for a link.',
  tokenInvalid: 'Ask whoever invited you for a new link.',
  tokenExpired: 'Ask whoever invited you for a new link.',
  wrongRoom: 'Ask whoever invited you for a link to this room.',
  roomFull: 'Try again when somebody has left.',
  serverFull: 'Try again in a few minutes.',
};

/** Whether joining again with the same link can help. */
const RETRY = ['roomFull', 'serverFull', 'serverUnreachable', 'mediaUnreachable', 'connectionLost', 'replaced', 'internal'];

/** A heading for an error. */
export function titleOf(error) {
  return TITLES[error.code] ?? 'Something went wrong';
}

/** Whether the dialog for it offers to try again. */
export function canRetry(error) {
  return RETRY.includes(error.code);
}

/**
 * Shows a dialog and resolves with the value of the chosen action ('' if it was closed by Escape).
 * `actions` are [value, label] pairs, the first is the main one.
 */
export function showDialog({ title, text = '', body = null, code = '', actions }) {
  const dialog = $('dialog');
  if (dialog.open) dialog.close('');
  $('dialog-title').textContent = title;
  $('dialog-text').textContent = text;
  $('dialog-text').hidden = !text;
  $('dialog-body').replaceChildren(...(body ? [body] : []));
  dialog.dataset.code = code;
  $('dialog-actions').replaceChildren(...actions.map(([value, label], index) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = label;
    button.className = index === 0 ? 'primary' : '';
    button.dataset.action = value;
    button.addEventListener('click', () => dialog.close(value));
    return button;
  }));
  // What tells of an error is not lost by a slip of the finger.
  dialog.setAttribute('closedby', code ? 'closerequest' : 'any');
  dialog.returnValue = '';
  dialog.showModal();
  $('dialog-actions').querySelector('button')?.focus();
  return new Promise((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue), { once: true }));
}

/** Tells about an error and what to do. */
export function showError(error, actions = [['close', 'OK']]) {
  const hint = HINTS[error.code];
  const body = hint ? Object.assign(document.createElement('p'), { className: 'detail', textContent: `The server says: ${error.message}` }) : null;
  const title = titleOf(error);
  // What the heading says already.
  const text = error.message.startsWith(`${title}. `) ? error.message.slice(title.length + 2) : error.message;
  return showDialog({ title, text: hint ?? text, body, code: error.code ?? 'unknown', actions });
}

/** Notes at a time; who comes with many others is not worth hiding faces. */
const TOASTS_MAX = 2;

/** A short note that goes away by itself; read out by screen readers. */
export function toast(text) {
  const note = document.createElement('div');
  note.className = 'toast';
  note.textContent = text;
  $('toasts').append(note);
  while ($('toasts').childElementCount > TOASTS_MAX) $('toasts').firstElementChild.remove();
  setTimeout(() => note.remove(), 4000);
}

// What the user is told of end-to-end encryption, and the dialog that changes the passphrase.

import { showDialog, showError, toast } from './dialogs.js';

/** Why somebody's picture or sound is not shown; '' if it is. */
export function secrecyNote(room, publications) {
  const hidden = publications.find(({ readable }) => !readable);
  if (!hidden) return '';
  if (!hidden.encrypted) return 'Not encrypted: not shown';
  return room.encrypted ? 'Encrypted with another passphrase?' : 'Encrypted: join with the passphrase';
}

/** Asks for another passphrase; `onChange` hears it. */
export async function changePassphrase(room, onChange) {
  const body = document.createElement('label');
  const input = Object.assign(document.createElement('input'), { id: 'new-passphrase', type: 'password', maxLength: 256, autocomplete: 'off' });
  body.append('Passphrase', input);
  input.onkeydown = ({ key }) => { if (key === 'Enter') input.closest('dialog').close('change'); };
  const text = 'Everybody has to change it: until then they cannot see and hear you, nor you them.';
  const asked = showDialog({ title: 'Change the passphrase', text, body, actions: [['change', 'Change'], ['close', 'Cancel']] });
  if ((await asked) !== 'change' || !input.value) return;
  try {
    await room.setPassphrase(input.value);
    onChange(input.value);
    toast('Passphrase changed');
  } catch (error) {
    showError(error);
  }
}

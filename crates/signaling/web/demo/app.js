// The demo app: a lobby, a call, and what happens in between.

import { PlenumError, Room } from '/plenum.js';
import { Call } from './call.js';
import { Devices } from './devices.js';
import { canRetry, showError } from './dialogs.js';
import { Lobby } from './lobby.js';

const flags = new URLSearchParams(location.search);
const [width, height] = (flags.get('size') ?? '1280x720').split('x').map(Number);
const devices = new Devices({ width, height });
const lobby = new Lobby(devices, flags, (choice) => join(choice));

/** For tests and for the curious: the room, once there is one. */
window.plenum = { room: null, devices };

/** Asks the server for a token, with the same identity each time. */
function tokenSource({ room, name }) {
  if (flags.has('token')) return flags.get('token');
  let identity = flags.get('identity') ?? '';
  return async () => {
    const query = new URLSearchParams({ room, name, ...(identity ? { identity } : {}) });
    let response;
    try {
      response = await fetch(`/demo/token?${query}`);
    } catch (error) {
      throw new PlenumError('serverUnreachable', '', error);
    }
    if (!response.ok) throw await refusal(response);
    const answer = await response.json();
    identity = answer.identity;
    return answer.token;
  };
}

/** Problem details (RFC 9457) as an error. */
async function refusal(response) {
  const problem = await response.json().catch(() => ({}));
  if (response.status >= 500) return new PlenumError('serverUnreachable');
  if (response.status === 404) return new PlenumError('tokenMissing', 'This server gives out no demo tokens. Open the link with ?token= that the app gave you.');
  return new PlenumError('notPermitted', problem.detail ?? problem.title ?? 'The server refused a token for this room and name.');
}

async function join(choice) {
  const room = new Room({
    url: location.origin, token: tokenSource(choice), room: choice.room, name: choice.name,
    publish: choice.tracks,
    ...(choice.passphrase ? { e2ee: { passphrase: choice.passphrase } } : {}),
    ...(flags.get('relay') === '1' ? { iceTransportPolicy: 'relay' } : {}),
  });
  window.plenum.room = room;
  const call = new Call(room, devices, { view: flags.get('view') ?? 'grid', stats: flags.get('stats') === '1', link: () => invitation(choice), onPassphrase: (passphrase) => { choice.passphrase = passphrase; history.replaceState(null, '', linkTo(choice)); } });
  room.on('closed', ({ error }) => end(call, error, choice));
  try {
    await room.join();
    call.open();
    lobby.hide();
    history.replaceState(null, '', linkTo(choice));
  } catch { /* 'closed' has told why. */ }
}

/** What to send to others, without a name; a token is for one person alone. */
function invitation({ room, passphrase }) {
  return flags.has('token') || !room ? null : `${location.origin}${location.pathname}?${new URLSearchParams({ room })}${fragment(passphrase)}`;
}

/** Browsers do not send what follows # to servers. */
function fragment(passphrase) {
  return passphrase ? `#${new URLSearchParams({ e2ee: passphrase })}` : '';
}

/** The address of this call, with the flags that it was opened with. */
function linkTo({ room, name, passphrase }) {
  const query = new URLSearchParams(flags);
  query.delete('autojoin');
  if (!flags.has('token')) query.set('room', room);
  query.set('name', name);
  return `?${query}${fragment(passphrase)}`;
}

async function end(call, error, choice) {
  call.close();
  lobby.show();
  lobby.setBusy(false);
  if (!error || error.code === 'closed') return;
  const actions = canRetry(error) ? [['retry', 'Try again'], ['close', 'Back']] : [['close', 'OK']];
  if ((await showError(error, actions)) === 'retry') lobby.submit(choice);
}

lobby.show();
if (flags.get('autojoin') === '1') lobby.submit();

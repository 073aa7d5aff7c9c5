// Each client publishes by WHIP and is decoded by all of them, which play by WHEP.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { Server } from '../browser/lib/server.mjs';
import { CLIENTS_BY_NAME, FIREFOX_HERTZ } from './lib/clients.mjs';

/** How far a decoded colour may be from the painted one (per channel, of 255). */
const COLOUR_TOLERANCE = 30;
/** How far a heard pitch may be from the played one. */
const HERTZ_TOLERANCE = 15;

const COLOURS = { aiortc: 'c82828', gstreamer: '2846d2', chromium: '28a03c', firefox: '8c28aa' };
const HERTZ = { aiortc: 440, gstreamer: 880, chromium: 660, firefox: FIREFOX_HERTZ };

/** Of this machine, and not loopback: Firefox, aiortc and GStreamer do not gather that. */
function ownAddress() {
  const addresses = Object.values(networkInterfaces()).flat();
  const own = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
  assert.ok(own, 'give this machine an IPv4 address beside loopback');
  return own.address;
}

const rgb = (colour) => [0, 2, 4].map((at) => parseInt(colour.slice(at, at + 2), 16));

describe('clients that are not ours', { timeout: 220_000 }, () => {
  let server;

  before(async () => {
    const clients = Object.values(CLIENTS_BY_NAME).map((client) => client.start());
    [server] = await Promise.all([Server.start({ PLENUM_MEDIA__BIND: ownAddress() }), ...clients]);
  });

  after(async () => {
    await Promise.all(Object.values(CLIENTS_BY_NAME).map((client) => client.stop()));
    await server?.stop();
  });

  for (const [publisher, client] of Object.entries(CLIENTS_BY_NAME)) {
    test(`${publisher} publishes, and all decode it`, async () => {
      const token = (identity) => server.token(publisher, identity);
      const end = await client.publish(`${server.url}/whip/${publisher}`, token('publisher'), COLOURS[publisher], HERTZ[publisher]);
      const watch = async ([name, player], query) => {
        const outcome = await player.play(`${server.url}/whep/${publisher}${query}`, token(name));
        const told = `${name} of ${publisher}: ${JSON.stringify(outcome)}`;
        assert.ok(outcome.video.frames >= 30, told);
        assert.ok(outcome.video.size[0] >= 160, told);
        rgb(COLOURS[publisher]).forEach((wanted, channel) => {
          assert.ok(Math.abs(outcome.video.colour[channel] - wanted) <= COLOUR_TOLERANCE, told);
        });
        assert.ok(outcome.audio.level > 0.02, told);
        assert.ok(Math.abs(outcome.audio.frequency - HERTZ[publisher]) <= HERTZ_TOLERANCE, told);
      };
      // Every other one asks for the publisher by name; the rest see who speaks.
      const queries = ['', '?participant=publisher'];
      const players = Object.entries(CLIENTS_BY_NAME);
      await Promise.all(players.map((player, index) => watch(player, queries[index % 2])));
      await end();
    });
  }

  test('the player of the documentation waits for a publisher and plays', async () => {
    const document = readFileSync(new URL('../../crates/signaling/WHIP.md', import.meta.url), 'utf8');
    const [, html] = /```html\n([^]*?)```/.exec(document);
    const page = html
      .replace('https://plenum.example.net/whep/lobby', `${server.url}/whep/lobby`)
      .replace('<JWT>', server.token('lobby', 'viewer'));
    const watched = CLIENTS_BY_NAME.chromium.watch(page);
    const end = await CLIENTS_BY_NAME.aiortc.publish(`${server.url}/whip/lobby`, server.token('lobby', 'publisher'), COLOURS.aiortc, HERTZ.aiortc);
    await watched;
    await end();
  });
});

// @ts-check
// A WebSocket that opens with a first message and notices when it is dead.

import { PlenumError, closeError } from './errors.js';

/** Time between two pings, in ms. */
const PING_INTERVAL_MS = 5000;

/** Browsers trust their own machine without TLS (W3C Secure Contexts §3.1). */
const isLocal = (host) => /^(localhost|.*\.localhost|127\..*|\[::1\])$/.test(host);

/** The WebSocket address of a server. */
function socketUrl(url) {
  let address;
  try {
    address = new URL(url || location.origin, location.href);
  } catch (error) {
    throw new PlenumError('urlInvalid', '', error);
  }
  address.protocol = address.protocol.replace(/^http/, 'ws');
  if (!/^wss?:$/.test(address.protocol)) throw new PlenumError('urlInvalid');
  if (address.protocol === 'ws:' && location.protocol === 'https:' && !isLocal(address.hostname)) {
    throw new PlenumError('urlInvalid', 'A page that came by HTTPS reaches only servers with HTTPS. Pass a `url` that begins with https.');
  }
  if (!address.pathname.endsWith('/v1/ws')) address.pathname = address.pathname.replace(/\/*$/, '/v1/ws');
  return address.href;
}

/** One WebSocket. It ends once, by `close` or by telling `onLost` why, and says nothing afterwards. */
export class Socket {
  #socket;
  #pinger;
  #patience = null;
  #ping;
  #onLost;

  /**
   * @param {{ url?: string, token?: string, hello: object, ping: () => object, onOpen?: () => void,
   *   onMessage: (message: any) => void, onLost: (error: PlenumError) => void }} options
   */
  constructor({ url, token, hello, ping, onOpen, onMessage, onLost }) {
    this.#ping = ping;
    this.#onLost = onLost;
    const address = socketUrl(url);
    try {
      this.#socket = new WebSocket(address, token ? ['plenum.v1', `token.${token}`] : ['plenum.v1']);
    } catch (error) {
      throw new PlenumError('tokenInvalid', 'The token is malformed. Ask the app for a new one.', error);
    }
    this.#socket.onopen = () => {
      this.send(hello);
      onOpen?.();
    };
    this.#socket.onmessage = ({ data }) => {
      clearTimeout(this.#patience);
      this.#patience = null;
      onMessage(JSON.parse(data));
    };
    this.#socket.onclose = ({ code, reason }) => this.#end(closeError(code, reason));
    this.#pinger = setInterval(() => this.probe(PING_INTERVAL_MS), PING_INTERVAL_MS);
  }

  send(message) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Asks for a sign of life; if none comes within `patience` ms, the socket is given up. */
  probe(patience) {
    this.send(this.#ping());
    this.#patience ??= setTimeout(() => this.#end(new PlenumError('connectionLost')), patience);
  }

  #end(error) {
    this.close();
    this.#onLost(error);
  }

  close() {
    clearInterval(this.#pinger);
    clearTimeout(this.#patience);
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
  }
}

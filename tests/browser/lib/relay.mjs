// A UDP relay in front of the server whose way down can be made narrow, with a queue like that of
// a home router: what does not fit is dropped.

import dgram from 'node:dgram';

/** Longest queue, in ms of the rate. */
const QUEUE_MS = 300;
/** Bytes of IPv4 and UDP headers that each datagram takes of the rate. */
const HEADERS = 28;

/** Relays between clients and `127.0.0.1:target`. */
export class Relay {
  #target;
  #front = dgram.createSocket('udp4');
  /** Sockets towards the server, by client address. */
  #clients = new Map();
  #bitsPerSecond = Infinity;
  #freeAt = 0;
  #timers = new Set();
  /** Datagrams to clients that did not fit. */
  dropped = 0;
  /** Datagrams from clients that are not let through. */
  refused = 0;

  constructor(target) {
    this.#target = target;
  }

  /** `lets` says whose datagrams pass; all, if left out. */
  static async start(target, lets = () => true) {
    const relay = new Relay(target);
    relay.#front.on('message', (data, client) => {
      if (lets(client)) relay.#upstream(client).send(data, target, '127.0.0.1');
      else relay.refused += 1;
    });
    await new Promise((resolve, reject) => relay.#front.once('error', reject).bind(0, '127.0.0.1', resolve));
    return relay;
  }

  get port() { return this.#front.address().port; }

  /** From now on so much passes on the way down. */
  throttle(bitsPerSecond) {
    this.#bitsPerSecond = bitsPerSecond;
    this.#freeAt = performance.now();
  }

  stop() {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#clients.values()) socket.close();
    this.#front.close();
  }

  #upstream(client) {
    const key = `${client.address}:${client.port}`;
    let socket = this.#clients.get(key);
    if (!socket) {
      socket = dgram.createSocket('udp4');
      socket.on('message', (data) => this.#down(data, client));
      socket.bind(0, '127.0.0.1');
      this.#clients.set(key, socket);
    }
    return socket;
  }

  #down(data, client) {
    if (this.#bitsPerSecond === Infinity) return this.#front.send(data, client.port, client.address);
    const now = performance.now();
    const start = Math.max(now, this.#freeAt);
    if (start - now > QUEUE_MS) {
      this.dropped += 1;
      return undefined;
    }
    this.#freeAt = start + ((data.length + HEADERS) * 8000) / this.#bitsPerSecond;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#front.send(data, client.port, client.address);
    }, this.#freeAt - now);
    this.#timers.add(timer);
    return undefined;
  }
}

/** For `page.addInitScript`: the page speaks to the relay where it would speak to the server. */
export function throughRelay({ from, to }) {
  const set = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function setRemoteDescription(description) {
    const sdp = description.sdp.replaceAll(new RegExp(`(a=candidate:.* )${from}( typ)`, 'g'), `$1${to}$2`);
    return set.call(this, { type: description.type, sdp });
  };
}

// A TCP relay in front of a TCP port of the server, whose connections can be cut or fall silent.

import net from 'node:net';

/** Relays between clients and `127.0.0.1:target`, as long as `target` is not changed. */
export class TcpRelay {
  #server;
  /** Pairs of sockets. */
  #pairs = new Set();
  /** The port of the server. */
  target;
  /** Whether new connections are refused. */
  refusing = false;

  static async start(target) {
    const relay = new TcpRelay();
    relay.target = target;
    relay.#server = net.createServer((client) => relay.#accept(client));
    await new Promise((resolve, reject) => relay.#server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get port() { return this.#server.address().port; }

  get url() { return `http://127.0.0.1:${this.port}`; }

  /** Connections that are open. */
  get open() { return this.#pairs.size; }

  #accept(client) {
    client.on('error', () => {});
    if (this.refusing) return client.destroy();
    const server = net.connect(this.target, '127.0.0.1').on('error', () => {});
    const pair = [client, server];
    this.#pairs.add(pair);
    const end = () => { this.#pairs.delete(pair); pair.forEach((socket) => socket.destroy()); };
    for (const [from, to] of [pair, [server, client]]) from.on('close', end).on('end', end).pipe(to);
    return undefined;
  }

  /** Ends what is open. */
  cut() {
    for (const pair of [...this.#pairs]) pair.forEach((socket) => socket.destroy());
  }

  /** What is open stays open, and nothing passes any more. */
  silence() {
    for (const [client, server] of this.#pairs) {
      for (const [from, to] of [[client, server], [server, client]]) { from.unpipe(to); from.pause(); }
    }
  }

  stop() {
    this.cut();
    this.#server.close();
  }
}

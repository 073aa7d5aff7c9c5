// Starts and stops the server under test on free ports.

import { execFileSync, spawn } from 'node:child_process';
import dgram from 'node:dgram';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './until.mjs';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

/** How long a server may take to get ready or to end, in ms. */
const PATIENCE_MS = 20_000;

/** The program to test: PLENUM_BIN, or a debug build of this repository. */
export function serverBinary() {
  if (process.env.PLENUM_BIN) return process.env.PLENUM_BIN;
  const cargo = (args) => execFileSync('cargo', args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 28 });
  cargo(['build', '-p', 'plenum']);
  const { target_directory: target } = JSON.parse(cargo(['metadata', '--format-version=1', '--no-deps']));
  return path.join(target, 'debug', 'plenum');
}

/** A TCP port that is free now. */
function freeTcpPort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

function udpPortIsFree(port) {
  return new Promise((resolve) => {
    const probe = dgram.createSocket('udp4').once('error', () => resolve(false));
    probe.bind(port, () => probe.close(() => resolve(true)));
  });
}

/** The first of several UDP ports in a row that are free now: one for each shard. */
export async function freeUdpPorts(count = 4) {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await Promise.all(Array.from({ length: count }, (_, i) => udpPortIsFree(first + i)));
    if (free.every(Boolean)) return first;
  }
}

/** A running server. */
export class Server {
  #binary = serverBinary();
  #child = null;
  #output = '';
  #environment;

  constructor(environment) {
    this.#environment = environment;
  }

  /** `environment` holds settings, such as `PLENUM_MEDIA__BIND`. */
  static async start(environment = {}) {
    const server = new Server(environment);
    server.httpPort = await freeTcpPort();
    server.udpPort = await freeUdpPorts();
    server.tcpPort = await freeTcpPort();
    await server.start();
    return server;
  }

  get url() { return `http://127.0.0.1:${this.httpPort}`; }

  /** A token made by the program itself. */
  token(room, identity, flags = []) {
    return execFileSync(this.#binary, ['token', '--dev', '--room', room, '--identity', identity, ...flags], { encoding: 'utf8' }).trim();
  }

  /** A token for its REST. */
  adminToken() {
    return execFileSync(this.#binary, ['token', '--dev', '--admin', '--identity', 'backend'], { encoding: 'utf8' }).trim();
  }

  /** Starts it, again on the same ports, and waits until it is ready. */
  async start() {
    const child = spawn(this.#binary, ['serve', '--dev', '--http-port', this.httpPort, '--udp-port', this.udpPort, '--tcp-port', this.tcpPort], {
      stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...this.#environment },
    });
    this.#child = child;
    this.#output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => { this.#output = (this.#output + data).slice(-8000); });
    }
    await until('the server is ready', async () => {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${this.#output}`);
      return (await fetch(`${this.url}/readyz`).catch(() => null))?.ok;
    }, { timeout: PATIENCE_MS, fatal: true });
  }

  /** Ends it with a signal and waits until it is gone. */
  async stop(signal = 'SIGTERM') {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    await gone;
    clearTimeout(timer);
  }

  /** How it ended. */
  get exitCode() { return this.#child?.exitCode; }

  /** The end of what it printed, for a failed test. */
  get output() { return this.#output; }
}

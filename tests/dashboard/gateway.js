// A gateway of one's own: without an admin yet, and to be stopped.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { program, SIMULATOR } from './places.js';
import { apiOf } from './world.js';

const PATIENCE_MS = 30_000;

/** A port that nobody uses now, so that the second start can listen where the first one did. */
async function freePort() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts one on an empty folder; `end` stops it and takes the folder away. */
export async function ownGateway() {
  const [folder, port] = [await mkdtemp(join(tmpdir(), 'wagate-spec-')), await freePort()];
  const gateway = { base: `http://127.0.0.1:${port}`, api: undefined, key: undefined, setupCode: undefined, start, stop, end };
  let child;

  async function start() {
    child = spawn(program(), ['gateway'], {
      env: {
        PATH: process.env.PATH,
        WAGATE_BIND: `127.0.0.1:${port}`,
        WAGATE_DATA_DIR: folder,
        WAGATE_SIM_URL: SIMULATOR,
        NO_COLOR: '1',
        WAGATE_LOG__FILTER: 'error',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const running = child;
    // What it says first: where it is, its key, and the code for the first admin.
    const late = setTimeout(() => running.kill('SIGKILL'), PATIENCE_MS);
    let key;
    for await (const line of createInterface({ input: child.stdout })) {
      key ??= /^\s+API key\s+(\S+)/.exec(line)?.[1];
      gateway.setupCode = /^\s+setup code\s+(\S+)/.exec(line)?.[1] ?? gateway.setupCode;
      if (/^Ctrl-C/.test(line)) break;
    }
    clearTimeout(late);
    if (!key) throw new Error('the gateway did not start');
    child.stdout.resume();
    gateway.key = key;
    gateway.api = apiOf(gateway.base, key);
  }

  async function stop(signal = 'SIGTERM') {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  async function end() {
    await stop('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }

  await start();
  return gateway;
}

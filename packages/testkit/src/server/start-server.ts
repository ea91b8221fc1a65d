import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MicroError } from '@ts-micro/core';
import { type ChaosProxy, startChaosProxy } from './chaos-proxy.ts';
import { freePorts } from './free-ports.ts';
import type { Server, ServerPlace } from './server.ts';
import { takesConnections } from './takes-connections.ts';
import { ThrowawayServer } from './throwaway-server.ts';

const attempts = 5;

export interface ServerOptions {
  /** Names the server in errors and its folder: `etcd`. */
  readonly name: string;
  /** The program and its parameters; asked for before each start, so that it can write configuration as well. */
  readonly command: (place: ServerPlace) => readonly string[] | Promise<readonly string[]>;
  /** Set on top of this process's environment. */
  readonly env?: ((place: ServerPlace) => Readonly<Record<string, string>>) | undefined;
  /**
   * Whether it takes clients now. Asked again until it says `true`; what it throws counts as not yet.
   *
   * @default the first port takes connections
   */
  readonly ready?: ((place: ServerPlace) => boolean | Promise<boolean>) | undefined;
  /** How many free ports it needs, or which ones. @default 1 */
  readonly ports?: number | readonly number[] | undefined;
  /** A proxy that can break the network stands in front of the first port. @default true */
  readonly proxy?: boolean | undefined;
  /** How long a start may take, in milliseconds. @default 30000 */
  readonly startWithinMs?: number | undefined;
  /** How long it may take to end when it is asked to, in milliseconds. @default 10000 */
  readonly stopWithinMs?: number | undefined;
}

/**
 * Starts any server program on ports of 127.0.0.1 that are free, and waits until it takes clients.
 *
 * Throws `unavailable` where it does not start, with what it logged; `conflict` where named `ports` are taken.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { ports = 1 } = options;
  if (typeof ports !== 'number') return startOn(ports, options);
  if (!Number.isInteger(ports) || ports < 1) {
    throw new MicroError('invalid', `${options.name}: ports must be a whole number from 1 up, not ${ports}`);
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOn(await freePorts(ports), options);
    } catch (error) {
      // Somebody else was faster.
      if (attempt === attempts || !MicroError.is(error, 'conflict')) throw error;
    }
  }
}

async function startOn(ports: readonly number[], options: ServerOptions): Promise<Server> {
  const { name, proxy: isProxied = true, startWithinMs = 30_000, stopWithinMs = 10_000 } = options;
  const root = await mkdtemp(join(tmpdir(), `ts-micro-${name.replace(/\W+/g, '-')}-`));
  const folder = join(root, 'data');
  await mkdir(folder);
  const [port = 0] = ports;
  const direct = `127.0.0.1:${port}`;
  const proxy: ChaosProxy | undefined = isProxied ? await startChaosProxy({ target: direct }) : undefined;
  const place: ServerPlace = { port, ports, folder, address: proxy?.address ?? direct };
  const { command, env = () => ({}), ready = ({ port }) => takesConnections(port) } = options;
  const server = new ThrowawayServer({
    name,
    place,
    proxy,
    command: () => command(place),
    env: () => env(place),
    ready: () => ready(place),
    startWithinMs,
    stopWithinMs,
    removeAll: () => rm(root, { recursive: true, force: true, maxRetries: 5 }),
  });
  try {
    await server.start();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MicroError } from '@ts-micro/core';
import { findNatsServer } from './find-nats-server.ts';
import { freePorts } from './free-ports.ts';
import { NatsProcess } from './nats-process.ts';

const startWithinMs = 15_000;
const stopWithinMs = 10_000;
const attempts = 5;

export interface NatsServerOptions {
  /**
   * More configuration in nats-server's own language: authorization, TLS, `max_payload`, `lame_duck_duration`. @default
   * ''
   */
  readonly config?: string | undefined;
  /** The client port on 127.0.0.1. @default one that is free */
  readonly port?: number | undefined;
  /** Has JetStream, with its files in a folder of its own that outlives a kill and a restart. @default false */
  readonly jetstream?: boolean | undefined;
}

/** Counts what a server holds for its clients; its routes and own subscriptions are not counted. */
export type NatsServerCounts = {
  readonly connections: number;
  readonly subscriptions: number;
};

/**
 * A throwaway nats-server on 127.0.0.1. It dies with the process that started it; `await using` kills it and removes
 * its files.
 */
export interface NatsServer extends AsyncDisposable {
  /** `nats://127.0.0.1:PORT`. */
  readonly url: string;
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  /** The client port; kept over a restart. */
  readonly port: number;
  readonly pid: number;
  readonly isRunning: boolean;
  /** SIGKILL, and waits for the exit. Nothing happens when it is not running. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for the exit; SIGKILL after 10 s. */
  stop(): Promise<void>;
  /** Starts it again on the same port, after stopping it where it still runs; `config` replaces the first one. */
  restart(options?: Pick<NatsServerOptions, 'config'>): Promise<void>;
  /**
   * Has it read another configuration while it runs (SIGHUP), and waits until it has; connections stay. Rejects with
   * `unavailable` where it does not within 10 s.
   */
  reload(options: Required<Pick<NatsServerOptions, 'config'>>): Promise<void>;
  /** SIGSTOP: connections stay open and nobody answers on them. */
  suspend(): void;
  /** SIGCONT. */
  resume(): void;
  /** Any other signal: SIGUSR2 is lame duck, SIGHUP reads the configuration again. */
  signal(name: NodeJS.Signals): void;
  /** The last lines it logged. */
  logs(): string;
  /** Asks its monitoring port. Rejects with `unavailable` when it does not answer. */
  counts(): Promise<NatsServerCounts>;
  /** Any page of its monitoring port as parsed JSON: `varz`, `connz?subs=1`, `routez`. */
  monitor(page: string): Promise<Record<string, unknown>>;
}

/**
 * Starts a nats-server and waits until it takes clients.
 *
 * Throws `unavailable` where the program is missing or does not start, with what it logged; `conflict` where `port` is
 * taken.
 */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  if (options.port !== undefined) return startOn(options.port, options);
  for (let attempt = 1; ; attempt++) {
    const [free = 0] = await freePorts(1);
    try {
      return await startOn(free, options);
    } catch (error) {
      // Somebody else was faster.
      if (attempt === attempts || !MicroError.is(error, 'conflict')) throw error;
    }
  }
}

async function startOn(port: number, { config = '', jetstream = false }: NatsServerOptions): Promise<NatsServer> {
  const folder = await mkdtemp(join(tmpdir(), 'ts-micro-nats-'));
  const server = new ThrowawayServer({ program: findNatsServer(), folder, port, config, jetstream });
  try {
    await server.start();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

interface ServerInit {
  readonly program: string;
  readonly folder: string;
  readonly port: number;
  readonly config: string;
  readonly jetstream: boolean;
}

class ThrowawayServer implements NatsServer {
  readonly #program: string;
  readonly #folder: string;
  #config: string;
  #port: number;
  #monitorUrl = '';
  #process: NatsProcess | undefined;
  readonly #jetstream: boolean;
  #isDisposed = false;

  constructor({ program, folder, port, config, jetstream }: ServerInit) {
    this.#program = program;
    this.#folder = folder;
    this.#port = port;
    this.#config = config;
    this.#jetstream = jetstream;
  }

  get url(): string {
    return `nats://${this.address}`;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get pid(): number {
    return this.#running().pid;
  }

  get isRunning(): boolean {
    return this.#process?.isRunning ?? false;
  }

  get #configFile(): string {
    return join(this.#folder, 'server.conf');
  }

  get #wholeConfig(): string {
    if (!this.#jetstream) return this.#config;
    const store = JSON.stringify(join(this.#folder, 'jetstream'));
    return `${this.#config}\nserver_name: "testkit-${this.#port}"\njetstream { store_dir: ${store} }\n`;
  }

  async start(): Promise<void> {
    const portsFolder = await mkdtemp(join(this.#folder, 'ports-'));
    const configFile = this.#configFile;
    await writeFile(configFile, this.#wholeConfig);
    const parameters = ['-a', '127.0.0.1', '-p', String(this.#port), '-m', '-1'];
    const child = new NatsProcess(this.#program, [...parameters, '-c', configFile, '--ports_file_dir', portsFolder]);
    this.#process = child;
    const deadline = performance.now() + startWithinMs;
    for (;;) {
      const ports = await readPorts(portsFolder);
      if (ports) {
        this.#port = ports.client;
        this.#monitorUrl = ports.monitorUrl;
        return;
      }
      if (!child.isRunning) throw notStarted(child, 'ended at once');
      if (performance.now() > deadline) {
        await child.kill();
        throw notStarted(child, `did not start within ${startWithinMs} ms`);
      }
      await sleep(10);
    }
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  async stop(): Promise<void> {
    await this.#process?.stop(stopWithinMs);
  }

  async restart(options: Pick<NatsServerOptions, 'config'> = {}): Promise<void> {
    if (this.#isDisposed) throw new MicroError('closed', 'nats-server: it was disposed of and cannot restart');
    await this.stop();
    this.#config = options.config ?? this.#config;
    await this.start();
  }

  async reload({ config = '' }: Pick<NatsServerOptions, 'config'>): Promise<void> {
    this.#config = config;
    await writeFile(this.#configFile, this.#wholeConfig);
    const child = this.#running();
    const reloads = () => child.logs().split('Reloaded server configuration').length;
    const before = reloads();
    child.signal('SIGHUP');
    const deadline = performance.now() + stopWithinMs;
    while (reloads() === before) {
      if (performance.now() > deadline || !child.isRunning) {
        throw new MicroError('unavailable', `nats-server: it did not read its configuration again\n${child.logs()}`);
      }
      await sleep(10);
    }
  }

  suspend(): void {
    this.signal('SIGSTOP');
  }

  resume(): void {
    this.signal('SIGCONT');
  }

  signal(name: NodeJS.Signals): void {
    this.#running().signal(name);
  }

  logs(): string {
    return this.#process?.logs() ?? '';
  }

  async counts(): Promise<NatsServerCounts> {
    const { connections } = (await this.monitor('connz?limit=100000')) as unknown as {
      connections: { subscriptions: number }[];
    };
    return {
      connections: connections.length,
      subscriptions: connections.reduce((sum, connection) => sum + connection.subscriptions, 0),
    };
  }

  async monitor(page: string): Promise<Record<string, unknown>> {
    try {
      const response = await fetch(`${this.#monitorUrl}/${page}`, {
        signal: AbortSignal.timeout(5000),
        // A kept-alive connection would be an open handle of the test process.
        headers: { connection: 'close' },
      });
      return (await response.json()) as Record<string, unknown>;
    } catch (error) {
      throw MicroError.from(error, 'unavailable', `nats-server: ${page} of ${this.address}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #running(): NatsProcess {
    if (!this.#process?.isRunning) throw new MicroError('closed', 'nats-server: it is not running');
    return this.#process;
  }
}

/**
 * Reads the file nats-server writes once it listens:
 * `{"nats":["nats://127.0.0.1:37805"],"monitoring":["http://127.0.0.1:36447"]}`.
 */
async function readPorts(folder: string): Promise<{ client: number; monitorUrl: string } | undefined> {
  const [file] = await readdir(folder);
  if (file === undefined) return undefined;
  try {
    const ports = JSON.parse(await readFile(join(folder, file), 'utf8')) as { nats: string[]; monitoring: string[] };
    return { client: Number(new URL(ports.nats[0] ?? '').port), monitorUrl: ports.monitoring[0] ?? '' };
  } catch {
    // It is there but not yet written to its end.
    return undefined;
  }
}

function notStarted(child: NatsProcess, how: string): MicroError {
  const logs = child.logs();
  const code = logs.includes('address already in use') ? 'conflict' : 'unavailable';
  return new MicroError(code, `nats-server: ${how}\n${logs}`);
}

import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MicroError } from '@ts-micro/core';
import type { RestartOptions, Server } from '../server/server.ts';
import { startServer } from '../server/start-server.ts';
import { findNatsServer } from './find-nats-server.ts';

const startWithinMs = 15_000;
const reloadWithinMs = 10_000;

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

type NatsRestartOptions = Pick<NatsServerOptions, 'config'> & RestartOptions;

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
  /**
   * Starts it again on the same port, after stopping it where it still runs; `config` replaces the first one, and
   * `keepData: false` empties the store of JetStream first.
   */
  restart(options?: NatsRestartOptions): Promise<void>;
  /**
   * Has it read another configuration while it runs (SIGHUP), and waits until it has; connections stay. Rejects with
   * `unavailable` where it does not within 10 s.
   */
  reload(options: Required<Pick<NatsServerOptions, 'config'>>): Promise<void>;
  /** SIGSTOP, and waits until the system has stopped it: connections stay open and nobody answers on them. */
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
  const { port, config = '', jetstream = false } = options;
  const settings: Settings = { config, jetstream, monitorUrl: '', portsFolder: '' };
  const program = findNatsServer();
  const server = await startServer({
    name: 'nats-server',
    ports: port === undefined ? 1 : [port],
    proxy: false,
    startWithinMs,
    async command({ port, folder }) {
      settings.portsFolder = await mkdtemp(join(folder, 'ports-'));
      const file = await writeConfig(folder, port, settings);
      const parameters = ['-a', '127.0.0.1', '-p', String(port), '-m', '-1'];
      return [program, ...parameters, '-c', file, '--ports_file_dir', settings.portsFolder];
    },
    async ready() {
      const monitorUrl = await readMonitorUrl(settings.portsFolder);
      settings.monitorUrl = monitorUrl ?? '';
      return monitorUrl !== undefined;
    },
  });
  return new ThrowawayNatsServer(server, settings);
}

interface Settings {
  config: string;
  readonly jetstream: boolean;
  monitorUrl: string;
  /** The folder in which the present run writes its ports. */
  portsFolder: string;
}

async function writeConfig(folder: string, port: number, { config, jetstream }: Settings): Promise<string> {
  const file = join(folder, 'server.conf');
  const store = JSON.stringify(join(folder, 'jetstream'));
  const stored = jetstream ? `\nserver_name: "testkit-${port}"\njetstream { store_dir: ${store} }\n` : '';
  await writeFile(file, config + stored);
  return file;
}

class ThrowawayNatsServer implements NatsServer {
  readonly #server: Server;
  readonly #settings: Settings;

  constructor(server: Server, settings: Settings) {
    this.#server = server;
    this.#settings = settings;
  }

  get url(): string {
    return `nats://${this.address}`;
  }

  get address(): string {
    return this.#server.address;
  }

  get port(): number {
    return this.#server.port;
  }

  get pid(): number {
    return this.#server.pid;
  }

  get isRunning(): boolean {
    return this.#server.isRunning;
  }

  kill(): Promise<void> {
    return this.#server.kill();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  async restart({ config, keepData }: NatsRestartOptions = {}): Promise<void> {
    this.#settings.config = config ?? this.#settings.config;
    await this.#server.restart({ keepData });
  }

  async reload({ config }: Required<Pick<NatsServerOptions, 'config'>>): Promise<void> {
    this.#settings.config = config ?? '';
    await writeConfig(this.#server.folder, this.port, this.#settings);
    const reloads = () => this.logs().split('Reloaded server configuration').length;
    const before = reloads();
    this.signal('SIGHUP');
    const deadline = performance.now() + reloadWithinMs;
    while (reloads() === before) {
      if (performance.now() > deadline || !this.isRunning) {
        throw new MicroError('unavailable', `nats-server: it did not read its configuration again\n${this.logs()}`);
      }
      await sleep(10);
    }
  }

  suspend(): void {
    this.#server.suspend();
  }

  resume(): void {
    this.#server.resume();
  }

  signal(name: NodeJS.Signals): void {
    this.#server.signal(name);
  }

  logs(): string {
    return this.#server.logs();
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
      const response = await fetch(`${this.#settings.monitorUrl}/${page}`, {
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
    await this.#server[Symbol.asyncDispose]();
  }
}

/**
 * Reads the file nats-server writes once it listens:
 * `{"nats":["nats://127.0.0.1:37805"],"monitoring":["http://127.0.0.1:36447"]}`.
 */
async function readMonitorUrl(folder: string): Promise<string | undefined> {
  const [file] = await readdir(folder);
  if (file === undefined) return undefined;
  try {
    const ports = JSON.parse(await readFile(join(folder, file), 'utf8')) as { monitoring: string[] };
    return ports.monitoring[0] ?? '';
  } catch {
    // It is there but not yet written to its end.
    return undefined;
  }
}

import type { Faults } from '../backend.ts';
import type { ChaosProxy } from './chaos-proxy.ts';

/** The place of a server, which its command line and its clients need to know. */
export interface ServerPlace {
  /** The first of its ports on 127.0.0.1. */
  readonly port: number;
  readonly ports: readonly number[];
  /** For its data and configuration: its own, and kept over a kill and a restart. */
  readonly folder: string;
  /** `127.0.0.1:PORT` for clients: the proxy's, or its own where it has none. What it tells clients of itself. */
  readonly address: string;
}

export interface RestartOptions {
  /** `false` empties the folder first: the server comes back and knows nothing. @default true */
  readonly keepData?: boolean | undefined;
}

/**
 * A throwaway server on 127.0.0.1. It dies with the process that started it; `await using` kills it and removes its
 * files.
 */
export interface Server extends ServerPlace, AsyncDisposable {
  /** The network between clients that use `address` and the server: cut, stall, half-open, delay. */
  readonly proxy: ChaosProxy;
  /** For the contract: `kill`, `restart`, and what the proxy can do. */
  readonly faults: Required<Faults>;
  readonly pid: number;
  readonly isRunning: boolean;
  /** For the contract: the server again, without what it had stored. */
  loseData(): Promise<void>;
  /** How many connections clients have through the proxy: for `count` of a harness. */
  count(): { readonly connections: number };
  /** SIGKILL to it and what it started, and waits for the exit. Nothing happens when it is not running. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for the exit; SIGKILL when it takes too long. */
  stop(): Promise<void>;
  /** Starts it again on the same ports, after stopping it where it still runs. Throws as `startServer` does. */
  restart(options?: RestartOptions): Promise<void>;
  /** SIGSTOP, and waits until the system has stopped it: connections stay open and nobody answers on them. */
  suspend(): void;
  /** SIGCONT. */
  resume(): void;
  /** Any other signal, to the program alone. */
  signal(name: NodeJS.Signals): void;
  /** The last lines it wrote. */
  logs(): string;
}

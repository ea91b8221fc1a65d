import { type NatsServer, startNatsServer } from '@ts-micro/testkit/nats';
import type { ContenderProgram } from '../contenders/contender.ts';
import { type ContenderBuild, type ContenderName, contenders } from '../contenders/contenders.ts';
import { cpuMsOf } from './cpu-time.ts';
import { PeerProcess } from './peer-process.ts';

/** The two processes of one contender, connected to each other over the arena's nats-server. */
export interface Pair {
  readonly server: PeerProcess;
  readonly client: PeerProcess;
}

/**
 * One nats-server and the contenders on it. They start when first asked for and stay, warm and idle, until the arena
 * closes.
 */
export class Arena implements AsyncDisposable {
  readonly #nats: NatsServer;
  readonly #nodeOptions: readonly string[];
  readonly #pairs = new Map<ContenderName, Pair>();
  readonly #processes: PeerProcess[] = [];
  readonly #programs = new Map<ContenderName, ContenderProgram>();

  static async open(nodeOptions: readonly string[]): Promise<Arena> {
    return new Arena(await startNatsServer(), nodeOptions);
  }

  constructor(nats: NatsServer, nodeOptions: readonly string[]) {
    this.#nats = nats;
    this.#nodeOptions = nodeOptions;
  }

  /** The pair of a contender. Rejects where it cannot run here, saying why. */
  async pair(name: ContenderName): Promise<Pair> {
    const present = this.#pairs.get(name);
    if (present !== undefined) return present;
    const server = await this.server(name);
    const client = await this.start(name, 'client');
    await client.request('load', { name });
    await client.request('connect', this.meeting(name));
    const pair = { server, client };
    this.#pairs.set(name, pair);
    return pair;
  }

  /** A fresh answering half, ready to answer. */
  async server(name: ContenderName): Promise<PeerProcess> {
    const server = await this.start(name, 'server');
    await server.request('serve', this.meeting(name));
    return server;
  }

  /** A fresh process of either half that has done nothing yet. */
  async start(name: ContenderName, half: 'server' | 'client'): Promise<PeerProcess> {
    const what = `${half} of ${name}`;
    const { build } = contenders[name];
    const child =
      build === undefined
        ? PeerProcess.ofNode(`contender-${half}`, what, this.#nodeOptions)
        : PeerProcess.ofProgram(await this.#programOf(name, build), half, what);
    this.#processes.push(child);
    return child;
  }

  /** The CPU time that the nats-server has used so far, where the system tells. */
  natsCpuMs(): number | undefined {
    return cpuMsOf(this.#nats.pid);
  }

  /** What a contender's halves need to meet on this arena's nats-server. */
  meeting(name: ContenderName): { readonly address: string; readonly name: ContenderName } {
    return { address: this.#nats.address, name };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((child) => child[Symbol.asyncDispose]()));
    await this.#nats[Symbol.asyncDispose]();
  }

  async #programOf(name: ContenderName, build: ContenderBuild): Promise<ContenderProgram> {
    const known = this.#programs.get(name);
    if (known !== undefined) return known;
    const built = await build();
    if ('missing' in built) throw new Error(built.missing);
    this.#programs.set(name, built);
    return built;
  }
}

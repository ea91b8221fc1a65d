import { createConnection, isIP, type LookupFunction, type Socket } from 'node:net';
import type { ConnectionOptions } from 'nats';
import type { NodeTransport } from 'nats/lib/src/node_transport.js';
import client from '#nats-client';
import { findHost } from '../find-host.ts';
import { readInfo } from './first-words.ts';
import { canReadIntoMemory, copyOfRead, readBuffer } from './read-memory.ts';

/** How to dial one server. */
export interface DialPlan {
  /** TLS options; `undefined` leaves it to the server whether there is TLS. */
  readonly tls: Record<string, unknown> | undefined;
  /** The options of TLS, for a server that wants it or where `tls` is given. */
  readonly upgrade: { readonly tls: Record<string, unknown> | undefined; readonly tlsName: string };
  /** How long the server may take until its first words; `undefined` leaves that to the client. */
  readonly boundMs: number | undefined;
}

/** The owner of the connection, who is asked and told about each dial. */
export interface Dialler {
  /** Calls the dial off. */
  readonly abandoned: AbortSignal;
  /** Begins the dial of `host:port`. */
  plan(address: string): DialPlan;
  /** True for an IP address that is to be tried last. */
  isAvoided(ip: string): boolean;
  onFailed(address: string, error: unknown): void;
  /** The server's first sentence of complaint, while it has not taken the client. */
  onRefused(sentence: string): void;
  /**
   * The link has ended after its dial, and before the server took the client. The client is told of it once this
   * resolves.
   */
  onEnd(address: string, error: unknown): Promise<void>;
}

/**
 * What the client is told of such an end, as if the server had said it: it takes a complaint about who it is for the
 * end of a dial, and would else wait for the server until its time is over, with a timer.
 */
export const linkEnded = 'ts-micro: the link ended, authorization violation';

/** The options that the client hands on to its transport. */
export interface DialOptions extends ConnectionOptions {
  readonly dialler?: Dialler;
}

type Server = Parameters<NodeTransport['connect']>[0];

const mostWords = 65_536;
const keptWords = 4096;

/**
 * The client's transport with these differences: names are looked up as the system does, at each dial; each server has
 * its own TLS; a dial
 * that fails, takes too long or is called off lets go of its socket (2.29 keeps it until the peer closes it); and what
 * a server says before
 * it takes the client is heard.
 */
class DialTransport extends client.NodeTransport {
  #dialled: Socket | undefined;
  #dialler: Dialler | undefined;
  #plan: DialPlan | undefined;
  #bound: NodeJS.Timeout | undefined;
  /** The server has taken the client. */
  #isTaken = false;
  /** The client waits for it no longer. */
  #isGivenUp = false;
  readonly #letGo = () => void this.#dialled?.destroy();
  /** The client has read all that came, and waits. */
  #isReading = false;
  readonly #onread = {
    buffer: readBuffer,
    callback: (size: number) => {
      // Nothing that came before is still on its way to the parser.
      const taken = this.#isReading ? this.takePayload(readBuffer.subarray(0, size)) : 0;
      if (taken < size) this.#dialled?.emit('data', copyOfRead(taken, size));
      return true;
    },
  };

  /** Takes bytes of the message that its parser is in, as many as it returns: they are not kept for longer. */
  takePayload: (bytes: Uint8Array) => number = () => 0;

  override async connect(server: Server, options: DialOptions): Promise<void> {
    const { dialler } = options;
    if (dialler === undefined) return super.connect(server, options);
    const { abandoned } = dialler;
    if (abandoned.aborted) throw abandoned.reason;
    this.#dialler = dialler;
    const address = addressOf(server);
    abandoned.addEventListener('abort', this.#letGo, { once: true });
    const forget = () => abandoned.removeEventListener('abort', this.#letGo);
    try {
      const plan = dialler.plan(address);
      this.#plan = plan;
      await super.connect(server, { ...options, tls: plan.tls } as DialOptions);
    } catch (error) {
      // In an outage there is a dial every moment, on one signal.
      forget();
      dialler.onFailed(address, error);
      throw error;
    } finally {
      clearTimeout(this.#bound);
    }
    this.#listen(dialler);
    void this.closed().then(async (error) => {
      forget();
      if (this.#isTaken) return;
      await dialler.onEnd(address, error);
      // The client would take it for the end of the dial after this one.
      if (this.#isGivenUp) return;
      this.yields.push(Buffer.from(`-ERR '${linkEnded}'\r\n`));
      this.signal.resolve();
    });
  }

  override dial({ hostname, port }: Pick<Server, 'hostname' | 'port'>): Promise<Socket> {
    return new Promise((resolve, reject) => {
      let cause: Error | undefined;
      const onread = canReadIntoMemory && { onread: this.#onread };
      const socket = createConnection(
        { host: hostname, port, noDelay: true, autoSelectFamily: true, lookup: this.#lookup, ...onread },
        () => {
          socket.removeAllListeners();
          resolve(socket);
        },
      );
      this.#dialled = socket;
      const boundMs = this.#plan?.boundMs;
      if (boundMs !== undefined) {
        const late = Object.assign(new Error(`no answer within ${boundMs} ms`), { code: 'ETIMEDOUT' });
        this.#bound = setTimeout(() => socket.destroy(late), boundMs);
      }
      socket.on('error', (error) => {
        cause = error;
      });
      socket.on('close', () => {
        socket.removeAllListeners();
        reject(cause ?? new Error('the connection was closed'));
      });
    });
  }

  override async peekInfo(): ReturnType<NodeTransport['peekInfo']> {
    const info = await readInfo(this.socket, this.yields);
    clearTimeout(this.#bound);
    return info;
  }

  override startTLS(): ReturnType<NodeTransport['startTLS']> {
    const upgrade = this.#plan?.upgrade;
    if (upgrade !== undefined) {
      this.tlsName = upgrade.tlsName;
      this.options = { ...this.options, tls: upgrade.tls } as ConnectionOptions;
    }
    return super.startTLS();
  }

  override async tlsFirst(server: Server): ReturnType<NodeTransport['tlsFirst']> {
    this.socket = await this.dial(server);
    return this.startTLS();
  }

  /** The client's own makes a promise for every write, which nobody looks at. */
  override send(frame: Uint8Array): void {
    if (!this.isClosed) this.socket?.write(frame);
  }

  /** The client reads to the end, but for what it cannot read: then it prints that, and would read no more. */
  override [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    const frames = super[Symbol.asyncIterator]();
    return {
      next: () => {
        this.#isReading = true;
        return frames.next().then((frame) => {
          this.#isReading = false;
          return frame;
        });
      },
      return: async (value) => {
        this.socket?.destroy();
        return { done: true, value };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  override close(error?: Error): Promise<void> {
    this.#isGivenUp = true;
    // Until it is connected the client's own close does nothing.
    if (!this.connected) this.#letGo();
    return super.close(error);
  }

  /** Hears what the server answers to the client's CONNECT: PONG, or a complaint. */
  #listen(dialler: Dialler): void {
    const { socket } = this;
    let text = '';
    let isOver = false;
    const onData = (chunk: Uint8Array) => {
      text += Buffer.from(chunk).toString('latin1');
      const sentence = complaintIn(text);
      this.#isTaken = sentence === undefined && text.includes('PONG\r\n');
      isOver = sentence !== undefined || this.#isTaken;
      // A large cluster says much before.
      if (text.length > mostWords) text = text.slice(-keptWords);
      if (!isOver) return;
      socket?.removeListener('data', onData);
      if (sentence !== undefined) dialler.onRefused(sentence);
    };
    // A server that has no room says so right after its INFO, which is read already, but for INFO itself, which may be
    // long.
    const read = Buffer.concat(this.yields);
    onData(read.subarray(read.indexOf('\r\n') + 2));
    if (!isOver) socket?.on('data', onData);
  }

  /** Several addresses of one name come in another order each time. */
  readonly #lookup: LookupFunction = (host, options, done) => {
    findHost(host, options, (error, found) => {
      if (error) return done(error, []);
      const inOrder = shuffled(found).sort((one, other) => this.#weight(one.address) - this.#weight(other.address));
      if (options.all === true) done(null, inOrder);
      else done(null, inOrder[0]?.address ?? '', inOrder[0]?.family);
    });
  };

  #weight(ip: string): number {
    return this.#dialler?.isAvoided(ip) ? 1 : 0;
  }
}

/** Returns the sentence of the first whole complaint. */
export function complaintIn(text: string): string | undefined {
  return /(?:^|\n)-ERR ([^\r\n]*)\r?\n/.exec(text)?.[1]?.trim().replace(/^'|'$/g, '');
}

function addressOf({ hostname, port }: Pick<Server, 'hostname' | 'port'>): string {
  return `${isIP(hostname) === 6 ? `[${hostname}]` : hostname}:${port}`;
}

function shuffled<T>(items: readonly T[]): T[] {
  const keyed = items.map((item) => ({ item, key: Math.random() }));
  return keyed.sort((left, right) => left.key - right.key).map(({ item }) => item);
}

/**
 * Makes connections begun now dial so: the client takes its transport from one place for all, and sets that anew at
 * every `connect`.
 */
export function useDialTransport(): void {
  client.setTransportFactory({ factory: () => new DialTransport(), dnsResolveFn: client.nodeResolveHost });
}

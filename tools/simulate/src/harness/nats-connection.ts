import type { VendorConnection, VendorMessage, VendorSubscription } from '@ts-micro/nats';
import type { Clock } from './clock.ts';
import type { Machine } from './machine.ts';
import type { ServerConnection, ServerOperation, SimulatedNatsServer, WireMessage } from './nats-server.ts';

interface SubscribeOptions {
  readonly queue?: string;
  readonly callback: (error: Error | null, message: VendorMessage) => void;
}

interface PublishOptions {
  readonly reply?: string | undefined;
  readonly headers?: { encode(): Uint8Array } | undefined;
}

interface Subscription {
  readonly subject: string;
  readonly queue: string | undefined;
  readonly callback: SubscribeOptions['callback'];
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

const noBytes = new Uint8Array(0);

/** A connection of the `nats` client to a simulated server: what it loses, this loses, and what it says, this says. */
export class SimulatedNatsConnection implements VendorConnection {
  readonly info: { readonly max_payload: number; readonly headers: boolean; readonly connect_urls: string[] };
  readonly #server: SimulatedNatsServer;
  readonly #clock: Clock;
  readonly #machine: Machine;
  readonly #subscriptions = new Map<number, Subscription>();
  readonly #events: { type: string; data?: unknown }[] = [];
  #wakeStatus: (() => void) | undefined;
  #wire: ServerConnection | undefined;
  #pongs: Waiter[] = [];
  #lastId = 0;
  #isClosed = false;
  #resolveClosed: () => void = () => {};
  readonly #whenClosed: Promise<void> = new Promise((resolve) => {
    this.#resolveClosed = resolve;
  });
  /** When it was connected last, on the world's clock; `undefined` while it is not. */
  connectedSinceMs: number | undefined;

  constructor(server: SimulatedNatsServer, clock: Clock, machine: Machine) {
    this.#server = server;
    this.#clock = clock;
    this.#machine = machine;
    this.info = { max_payload: server.traits.maxPayload, headers: true, connect_urls: [] };
    this.#connect();
  }

  /** How many subscriptions the client holds. */
  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  publish(subject: string, payload: Uint8Array = noBytes, options: PublishOptions = {}): void {
    this.#assertOpen();
    const header = options.headers?.encode() ?? noBytes;
    const message: WireMessage = { subject, reply: options.reply, header, data: payload };
    // While it is not connected the client buffers it, and forgets its buffer when it dials.
    this.#wire?.toServer.send({ kind: 'publish', message });
  }

  subscribe(subject: string, { callback, queue }: SubscribeOptions): VendorSubscription {
    this.#assertOpen();
    const id = ++this.#lastId;
    this.#subscriptions.set(id, { subject, queue, callback });
    this.#wire?.toServer.send({ kind: 'subscribe', id, subject, queue });
    const stop = () => this.#wire?.toServer.send({ kind: 'unsubscribe', id });
    return {
      getID: () => id,
      isClosed: () => !this.#subscriptions.has(id),
      drain: async () => {
        stop();
        await this.flush();
        this.#subscriptions.delete(id);
      },
      unsubscribe: () => {
        if (!this.#subscriptions.delete(id)) return;
        stop();
      },
    };
  }

  flush(): Promise<void> {
    if (this.#isClosed) return Promise.reject(natsError('CONNECTION_CLOSED'));
    return new Promise((resolve, reject) => {
      this.#pongs.push({ resolve, reject });
      this.#wire?.toServer.send({ kind: 'ping' });
    });
  }

  async drain(): Promise<void> {
    await this.flush();
    await this.close();
  }

  close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.drop();
      for (const pong of this.#pongs.splice(0)) pong.reject(natsError('CONNECTION_CLOSED'));
      this.#subscriptions.clear();
      this.#resolveClosed();
    }
    return Promise.resolve();
  }

  closed(): Promise<void> {
    return this.#whenClosed;
  }

  isClosed(): boolean {
    return this.#isClosed;
  }

  isDraining(): boolean {
    return false;
  }

  getServer(): string {
    return 'nats.simulated:4222';
  }

  async reconnect(): Promise<void> {
    this.lose(1);
  }

  status(): AsyncIterable<{ readonly type: string }> & { stop(): void } {
    let isStopped = false;
    const next = async (): Promise<IteratorResult<{ type: string }>> => {
      while (!isStopped) {
        const value = this.#events.shift();
        if (value !== undefined) return { done: false, value };
        await new Promise<void>((resolve) => {
          this.#wakeStatus = resolve;
        });
      }
      return { done: true, value: undefined };
    };
    const stop = () => {
      isStopped = true;
      this.#wakeStatus?.();
    };
    return { stop, [Symbol.asyncIterator]: () => ({ next }) };
  }

  /** The connection breaks and is made again after `downMs`; the server hears of the break `noticeMs` later. */
  lose(downMs: number, noticeMs = 0): void {
    if (this.#wire === undefined || this.#isClosed) return;
    this.drop(noticeMs);
    this.#tell('disconnect');
    const dial = () => {
      // The client forgets what it had to write, and whom it owes a pong.
      for (const pong of this.#pongs.splice(0)) pong.reject(natsError('DISCONNECT'));
      if (this.#isClosed) return;
      const { toServer } = this.#connect();
      for (const [id, { subject, queue }] of this.#subscriptions)
        toServer.send({ kind: 'subscribe', id, subject, queue });
      this.#tell('reconnect');
    };
    this.#clock.schedule(Math.max(1, downMs), dial, 'arrival', this.#machine);
  }

  /** Nothing goes through for a while, and nothing is lost. */
  stall(durationMs: number): void {
    const untilMs = this.#clock.nowMs + durationMs;
    this.#wire?.toServer.stall(untilMs);
    this.#wire?.toClient.stall(untilMs);
  }

  /** The connection is gone, and nobody here is told: as when the process died. */
  drop(noticeMs = 0): void {
    const wire = this.#wire;
    if (wire === undefined) return;
    this.#wire = undefined;
    this.connectedSinceMs = undefined;
    wire.toServer.cut();
    wire.toClient.cut();
    this.#clock.schedule(noticeMs, () => this.#server.forget(wire), 'harness', 'world');
  }

  #connect(): ServerConnection {
    this.#wire = this.#server.connect(this.#machine, (operation) => this.#read(operation));
    this.connectedSinceMs = this.#clock.nowMs;
    return this.#wire;
  }

  #read(operation: ServerOperation): void {
    if (operation.kind === 'pong') this.#pongs.shift()?.resolve();
    else this.#subscriptions.get(operation.id)?.callback(null, received(operation.message));
  }

  #tell(type: string): void {
    this.#events.push({ type, data: this.getServer() });
    this.#wakeStatus?.();
  }

  #assertOpen(): void {
    if (this.#isClosed) throw natsError('CONNECTION_CLOSED');
  }
}

function natsError(code: string): Error {
  return Object.assign(new Error(code), { name: 'NatsError', code });
}

/** Each subscriber gets bytes of its own, as from a socket. */
function received({ subject, reply, header, data }: WireMessage): VendorMessage {
  const base = { subject, data: new Uint8Array(data), ...(reply === undefined ? {} : { reply }) };
  return header.length === 0 ? base : { ...base, headers: readHeader(header) };
}

function readHeader(block: Uint8Array): NonNullable<VendorMessage['headers']> {
  const [first = '', ...lines] = Buffer.from(block).toString('utf8').split('\r\n');
  const entries: [string, string[]][] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) entries.push([line.slice(0, colon), [line.slice(colon + 1).trim()]]);
  }
  const code = Number(first.split(' ')[1] ?? 0);
  return { code, [Symbol.iterator]: () => entries[Symbol.iterator]() };
}

import { connect, createInbox, type Msg, type NatsConnection } from 'nats';
import type { Sample } from '../harness/report/sample.ts';
import type { Contender, ContenderClient } from './contender.ts';
import { serveRaw } from './raw.ts';

const timeoutMs = 5000;

interface Pending {
  readonly endsAtMs: number;
  readonly resolve: (data: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** Publishes a message that asks for an answer on `reply`. */
export type Publish = (subject: string, payload: string | Uint8Array, reply: string) => void;

/**
 * One wildcard inbox and a map: what remains of `request()` without what it spends on every call. The least a client on
 * NATS can do.
 */
export class Multiplexer {
  readonly #connection: NatsConnection;
  readonly #publish: Publish;
  readonly #prefix: string = `${createInbox()}.`;
  readonly #pending = new Map<string, Pending>();
  readonly #timer: NodeJS.Timeout;
  #count = 0;

  /** `publish` is the client's own where none is given. */
  constructor(connection: NatsConnection, publish?: Publish) {
    this.#connection = connection;
    this.#publish = publish ?? ((subject, payload, reply) => connection.publish(subject, payload, { reply }));
    connection.subscribe(`${this.#prefix}*`, { callback: (_error, message) => this.#onReply(message) });
    this.#timer = setInterval(() => this.#expire(), 1000).unref();
  }

  request(subject: string, payload: string | Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const token = (this.#count++).toString(36);
      this.#pending.set(token, { endsAtMs: performance.now() + timeoutMs, resolve, reject });
      this.#publish(subject, payload, this.#prefix + token);
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#connection.close();
  }

  #onReply(message: Msg): void {
    const token = message.subject.slice(this.#prefix.length);
    const pending = this.#pending.get(token);
    if (pending === undefined) return;
    this.#pending.delete(token);
    if (message.data.length === 0 && message.headers?.code === 503) pending.reject(new Error('no responders'));
    else pending.resolve(message.data);
  }

  #expire(): void {
    const nowMs = performance.now();
    for (const [token, pending] of this.#pending) {
      // In the order they were made, so the rest are younger.
      if (pending.endsAtMs > nowMs) return;
      this.#pending.delete(token);
      pending.reject(new Error('timed out'));
    }
  }
}

/** The hand-made multiplexer with the plain body, towards the same server as raw. */
export const contender: Contender = {
  async serve({ address, name }, onEvent) {
    return serveRaw(await connect({ servers: address }), name, onEvent);
  },

  async connect({ address, name }): Promise<ContenderClient> {
    const multiplexer = new Multiplexer(await connect({ servers: address }));
    return {
      async call(request) {
        return parse(await multiplexer.request(`${name}.echo`, JSON.stringify(request)));
      },
      callBytes: (body) => multiplexer.request(`${name}.bytes`, body),
      close: () => multiplexer.close(),
    };
  },
};

function parse(data: Uint8Array): Sample {
  return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString());
}

import { connect, createInbox, type Msg, type NatsConnection } from 'nats';
import type { Contender, ContenderClient } from './contender.ts';

const chunkBytes = 256 * 1024;

/**
 * The least that a body beyond `max_payload` takes: cut into chunks, all of them sent at once, and put together by
 * whoever receives them. It knows no window, no lost chunk and no bound.
 */
export const contender: Contender = {
  async serve({ address, name }) {
    const connection = await connect({ servers: address });
    const bodies = new Bodies((id, body) => sendChunks(connection, `${name}.answer.${id}`, body));
    connection.subscribe(`${name}.bytes.*.*`, { callback: (_error, message) => bodies.add(message) });
    await connection.flush();
    return { close: () => connection.close() };
  },

  async connect({ address, name }): Promise<ContenderClient> {
    const connection = await connect({ servers: address });
    const pending = new Map<string, (body: Uint8Array) => void>();
    const bodies = new Bodies((id, body) => {
      pending.get(id)?.(body);
      pending.delete(id);
    });
    connection.subscribe(`${name}.answer.*.*`, { callback: (_error, message) => bodies.add(message) });
    await connection.flush();
    return {
      call: () => Promise.reject(new Error('calls with bytes only')),
      callBytes: (body) =>
        new Promise((resolve) => {
          const id = createInbox('body').replaceAll('.', '-');
          pending.set(id, resolve);
          sendChunks(connection, `${name}.bytes.${id}`, body);
        }),
      close: () => connection.close(),
    };
  },
};

function sendChunks(connection: NatsConnection, subject: string, body: Uint8Array): void {
  for (let start = 0; start < body.length; start += chunkBytes)
    connection.publish(`${subject}.${body.length}`, body.subarray(start, start + chunkBytes));
}

/** Bodies whose chunks come. */
class Bodies {
  readonly #onWhole: (id: string, body: Uint8Array) => void;
  readonly #partial = new Map<string, { readonly body: Buffer; length: number }>();

  constructor(onWhole: (id: string, body: Uint8Array) => void) {
    this.#onWhole = onWhole;
  }

  add({ subject, data }: Msg): void {
    const [id = '', total = ''] = subject.split('.').slice(-2);
    const partial = this.#partial.get(id) ?? { body: Buffer.allocUnsafeSlow(Number(total)), length: 0 };
    partial.body.set(data, partial.length);
    partial.length += data.length;
    this.#partial.set(id, partial);
    if (partial.length < partial.body.length) return;
    this.#partial.delete(id);
    this.#onWhole(id, partial.body);
  }
}

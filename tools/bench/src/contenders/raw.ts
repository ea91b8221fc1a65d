import { type ConnectionOptions, connect, createInbox, type Msg, type NatsConnection } from 'nats';
import { answer, type Sample } from '../harness/report/sample.ts';
import { sendSamples } from '../harness/report/send-samples.ts';
import type { Contender, ContenderClient, ContenderServer, Meeting } from './contender.ts';

/** The `nats` client with `request()`, as anyone would write it, and JSON on both ends. */
export const contender: Contender = rawNats({});

export function rawNats(options: ConnectionOptions): Contender {
  return {
    async serve({ address, name }, onEvent): Promise<ContenderServer> {
      const connection = await connect({ ...options, servers: address });
      return serveRaw(connection, name, onEvent);
    },
    async connect({ address, name }: Meeting): Promise<ContenderClient> {
      const connection = await connect({ ...options, servers: address });
      return new RawClient(connection, name);
    },
  };
}

/** Answers on plain subjects below `name`. */
export async function serveRaw(
  connection: NatsConnection,
  name: string,
  onEvent: (event: Sample) => void,
): Promise<ContenderServer> {
  const subscribe = (subject: string, handle: (message: Msg) => void): void => {
    connection.subscribe(`${name}.${subject}`, { callback: (_error, message) => handle(message) });
  };
  subscribe('echo', (message) => message.respond(JSON.stringify(answer(message.json<Sample>()))));
  subscribe('bytes', (message) => message.respond(message.data));
  subscribe('events', (message) => onEvent(message.json<Sample>()));
  subscribe('count', (message) => {
    const { count } = message.json<{ count: number }>();
    void sendSamples(count, (sample) => void message.respond(JSON.stringify(sample)));
  });
  await connection.flush();
  return { close: () => connection.close() };
}

class RawClient implements ContenderClient {
  readonly #connection: NatsConnection;
  readonly #name: string;

  constructor(connection: NatsConnection, name: string) {
    this.#connection = connection;
    this.#name = name;
  }

  async call(request: Sample): Promise<Sample> {
    const reply = await this.#connection.request(`${this.#name}.echo`, JSON.stringify(request), { timeout: 5000 });
    return reply.json<Sample>();
  }

  async callBytes(body: Uint8Array): Promise<Uint8Array> {
    const reply = await this.#connection.request(`${this.#name}.bytes`, body, { timeout: 5000 });
    return reply.data;
  }

  publish(event: Sample): void {
    this.#connection.publish(`${this.#name}.events`, JSON.stringify(event));
  }

  stream(count: number, onMessage: (message: Sample) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const reply = createInbox();
      let received = 0;
      const subscription = this.#connection.subscribe(reply, {
        callback: (_error, message) => {
          try {
            onMessage(message.json<Sample>());
            received++;
            if (received < count) return;
            subscription.unsubscribe();
            resolve();
          } catch (error) {
            subscription.unsubscribe();
            reject(error);
          }
        },
      });
      this.#connection.publish(`${this.#name}.count`, JSON.stringify({ count }), { reply });
    });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

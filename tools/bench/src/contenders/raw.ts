import { type ConnectionOptions, connect, createInbox, type Msg, type NatsConnection } from 'nats';
import { answer, type Sample } from '../harness/report/sample.ts';
import { sendSamples } from '../harness/report/send-samples.ts';
import {
  type Contender,
  type ContenderClient,
  type ContenderServer,
  type EventTopic,
  type Meeting,
  manySubscribers,
  type OnEvent,
  queueMembers,
} from './contender.ts';

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
export async function serveRaw(connection: NatsConnection, name: string, onEvent: OnEvent): Promise<ContenderServer> {
  const subscribe = (subject: string, handle: (message: Msg) => void, queue?: string): void => {
    const options = queue === undefined ? {} : { queue };
    connection.subscribe(`${name}.${subject}`, { ...options, callback: (_error, message) => handle(message) });
  };
  subscribe('echo', (message) => message.respond(JSON.stringify(answer(message.json<Sample>()))));
  subscribe('bytes', (message) => message.respond(message.data));
  subscribe('events', (message) => onEvent(message.json<Sample>()));
  for (let subscriber = 0; subscriber < manySubscribers; subscriber++)
    subscribe('many', (message) => onEvent(message.json<Sample>(), 'many'));
  for (let member = 0; member < queueMembers; member++)
    subscribe('shared', (message) => onEvent(message.json<Sample>(), 'shared'), 'members');
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

  publish(event: Sample, topic: EventTopic = 'events'): void {
    this.#connection.publish(`${this.#name}.${topic}`, JSON.stringify(event));
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

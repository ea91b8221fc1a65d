import { type AbortOptions, type ErrorCode, MicroError } from '@ts-micro/core';
import { LazyConnection, pause, randomToken } from '@ts-micro/kit';
import { type Channel, type ChannelModel, type ConfirmChannel, connect, type Message as Delivery } from 'amqplib';
import { type RabbitmqSettings, who } from './rabbitmq-transport-options.ts';

/** Go Micro's exchange: a topic exchange where the key is the address. */
export const exchange = 'micro';

export interface LinkEvents {
  onReply(delivery: Delivery): void;
  /** A publish found nobody. Told before it is confirmed. */
  onReturn(delivery: Delivery): void;
  onLost(cause: MicroError): void;
}

export interface Publishing {
  readonly correlationId: string;
  readonly replyTo?: string;
  readonly type: string;
  readonly headers: object;
}

interface Wire {
  readonly connection: ChannelModel;
  readonly channel: ConfirmChannel;
  readonly lost: Promise<unknown>;
}

const heartbeatSeconds = 5;
const prefetch = 1024;
const serveAgainMs = 500;

/** The one connection of a transport. All is published on one channel, which also hears the answers. */
export class AmqpLink {
  readonly #settings: RabbitmqSettings;
  readonly #events: LinkEvents;
  readonly #connection: LazyConnection<Wire>;
  /** What each address that is listened on does with what comes in. */
  readonly #served = new Map<string, (delivery: Delivery) => void>();
  #live: Wire | undefined;
  #replyQueue = '';
  #dials = 0;

  constructor(settings: RabbitmqSettings, events: LinkEvents) {
    this.#settings = settings;
    this.#events = events;
    this.#connection = new LazyConnection<Wire>({
      what: who,
      dial: () => this.#dial(),
      prepare: (wire) => this.#prepare(wire),
      isReady: (wire) => wire === this.#live,
      whenLost: (wire) => wire.lost,
      close: ({ connection }) => connection.close(),
      destroy: ({ connection }) => void connection.close().catch(() => {}),
      codeOf,
    });
  }

  get isConnected(): boolean | undefined {
    return this.#dials === 0 ? undefined : this.#live !== undefined;
  }

  /** Where answers are asked for: a queue of the connection's own. Direct reply-to tells nobody that it is gone. */
  get replyQueue(): string {
    return this.#replyQueue;
  }

  /** Resolves once there is a connection. */
  ready(options?: AbortOptions): Promise<void> {
    return this.#connection.use(async () => {}, options);
  }

  /** Publishes at once, in the order of the calls; resolves once RabbitMQ has taken it. */
  publish(to: string, key: string, body: Uint8Array, properties: Publishing): Promise<void> {
    const wire = this.#live;
    if (wire === undefined)
      return Promise.reject(new MicroError('unavailable', `${who}: not connected`, { retrySafe: true }));
    return new Promise((resolve, reject) => {
      const settle = (error: unknown) =>
        error ? reject(MicroError.from(error, codeOf(error), `${who}: publishing`)) : resolve();
      try {
        // RabbitMQ returns whatever goes to a direct reply-to alone, as Go Micro asks for it, though it arrives.
        const mandatory = !key.startsWith('amq.rabbitmq.reply-to');
        wire.channel.publish(to, key, Buffer.from(body), { ...properties, mandatory }, settle);
      } catch (error) {
        settle(error);
      }
    });
  }

  /** Takes in what is sent to an address, until {@link unserve}, over reconnects as well. */
  async serve(address: string, take: (delivery: Delivery) => void, options?: AbortOptions): Promise<void> {
    await this.#connection.use(({ connection }) => consume(connection, address, take), options);
    this.#served.set(address, take);
  }

  async unserve(address: string): Promise<void> {
    if (!this.#served.delete(address)) return;
    await this.#live?.channel.deleteQueue(address).catch(() => {});
  }

  end(options?: AbortOptions): Promise<void> {
    this.#served.clear();
    return this.#connection.end(options);
  }

  async #dial(): Promise<Wire> {
    const { urls, user: username = 'guest', password = 'guest', vhost, tls, connectTimeoutMs } = this.#settings;
    // Another server each time, so that one that is gone holds nobody up.
    const url = urls[this.#dials++ % urls.length] as URL;
    const [protocol, port] = tls ? ['amqps', 5671] : ['amqp', 5672];
    const place = { protocol, hostname: url.hostname, port: Number(url.port) || port };
    const options = { ...place, username, password, vhost, heartbeat: heartbeatSeconds };
    const connection = await connect(options, { ...tls, timeout: connectTimeoutMs, noDelay: true });
    const lost = new Promise((resolve) => connection.once('close', resolve));
    connection.on('error', () => {});
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => {});
    channel.once('close', () => void connection.close().catch(() => {}));
    return { connection, channel, lost };
  }

  async #prepare(wire: Wire): Promise<void> {
    const { connection, channel, lost } = wire;
    const { onReply, onReturn, onLost } = this.#events;
    await channel.assertExchange(exchange, 'topic', { durable: false, autoDelete: false });
    channel.on('return', onReturn);
    // From a cryptographic source: whoever guesses it can forge answers.
    this.#replyQueue = `micro.reply.${randomToken()}`;
    await channel.assertQueue(this.#replyQueue, { durable: false, autoDelete: true, exclusive: true });
    await channel.consume(this.#replyQueue, (delivery) => delivery && onReply(delivery), { noAck: true });
    await Promise.all(Array.from(this.#served, ([address, take]) => this.#serveAgain(connection, address, take)));
    this.#live = wire;
    void lost.then(() => {
      if (this.#live !== wire) return;
      this.#live = undefined;
      onLost(new MicroError('unavailable', `${who}: the connection was lost`));
    });
  }

  /** RabbitMQ may hold on for a while to the queue of the connection that was lost. */
  async #serveAgain(connection: ChannelModel, address: string, take: (delivery: Delivery) => void): Promise<void> {
    try {
      await consume(connection, address, take);
    } catch {
      const again = async () => {
        await pause(serveAgainMs, { keepsAlive: false });
        const isWanted = this.#live?.connection === connection && this.#served.get(address) === take;
        if (isWanted) await this.#serveAgain(connection, address, take);
      };
      void again();
    }
  }
}

/** A queue of the connection's own: it goes with it, and senders are told at once. */
async function consume(
  connection: ChannelModel,
  address: string,
  take: (delivery: Delivery) => void,
): Promise<Channel> {
  const channel = await connection.createChannel();
  channel.on('error', () => {});
  await channel.prefetch(prefetch);
  await channel.assertQueue(address, { durable: false, autoDelete: true, exclusive: true });
  await channel.bindQueue(address, exchange, address);
  await channel.consume(address, (delivery) => {
    if (delivery === null) return void channel.close().catch(() => {});
    channel.ack(delivery);
    take(delivery);
  });
  return channel;
}

// At the opening a server refuses a virtual host by closing, which the client tells as an unexpected answer.
function codeOf(error: unknown): ErrorCode {
  const text = MicroError.textOf(error);
  if (/ACCESS.REFUSED|NOT.ALLOWED|Expected ConnectionOpenOk/.test(text)) return 'unauthorized';
  return /RESOURCE.LOCKED/.test(text) ? 'conflict' : 'unavailable';
}

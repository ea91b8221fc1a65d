import { type Closable, checkName, MicroError, type Transport } from '@ts-micro/core';
import {
  ByteBudget,
  ConversationListener,
  type ConversationMessage,
  ConversationSocket,
  closeAll,
  Lifetime,
  randomToken,
  safeLogger,
} from '@ts-micro/kit';
import type { Message as Delivery } from 'amqplib';
import { AmqpLink, exchange } from './amqp-link.ts';
import { kindOf, messageOf, propertiesOf } from './envelope.ts';
import { type RabbitmqTransportOptions, rabbitmqSettings, who } from './rabbitmq-transport-options.ts';

const maxBodyBytes = 8 * 1024 * 1024;
const pingIntervalMs = 15_000;
/** As long as Go Micro's own server waits. */
const goQuietMs = 60_000;
const longestAddress = 200;
/** Says that kinds are understood. */
const metadata: Readonly<Record<string, string>> = { rabbitmq: '1' };

/** Request and response over RabbitMQ. Connects at its first use. Throws `invalid` naming the option. */
export function rabbitmqTransport(options: RabbitmqTransportOptions = {}): Transport {
  const settings = rabbitmqSettings(options);
  const logger = safeLogger(options.logger);
  const listeners = new Map<string, ConversationListener>();
  const dialled = new Map<string, ConversationSocket>();
  const { maxSockets, maxUnreceivedBytes } = settings;
  const budget = new ByteBudget(maxUnreceivedBytes, `${who}: answers that were not received`);
  const link = new AmqpLink(settings, {
    onReply: (delivery) =>
      dialled.get(delivery.properties.correlationId)?.take(kindOf(delivery), () => messageOf(delivery)),
    onReturn: (delivery) => {
      const { correlationId: id } = delivery.properties;
      const { exchange: from, routingKey } = delivery.fields;
      if (from === exchange) dialled.get(id)?.failUnreached(kindOf(delivery) === 'open');
      for (const listener of from === exchange ? [] : listeners.values())
        listener.socketOf(`${routingKey} ${id}`)?.failUnreached(false);
    },
    onLost: (cause) => {
      for (const socket of sockets()) socket.fail(cause);
    },
  });
  const sockets = () => [...dialled.values(), ...Array.from(listeners.values(), (each) => each.sockets).flat()];
  const pinging = setInterval(() => {
    // Peers that died without a word are found so.
    for (const socket of sockets()) socket.ping();
    for (const listener of listeners.values()) listener.retireQuiet(goQuietMs);
  }, pingIntervalMs).unref();
  const lifetime = new Lifetime(who, async (closeOptions) => {
    clearInterval(pinging);
    const members = new Set<Closable>([...listeners.values(), ...dialled.values()]);
    await closeAll(members, closeOptions).finally(() => link.end(closeOptions));
  });

  const transport: Transport = {
    name: 'rabbitmq',
    supports: { closeNotice: true, failFast: true, namedAddresses: true, maxBodyBytes },

    async dial(address, dialOptions = {}) {
      lifetime.assertOpen(dialOptions);
      checkAddress(address);
      await link.ready(dialOptions);
      lifetime.assertOpen();
      // From a cryptographic source: whoever guesses it can forge answers.
      const correlationId = randomToken();
      const socket = new ConversationSocket({
        what: `${who}: socket to ${address}`,
        local: correlationId,
        remote: address,
        isNative: dialOptions.metadata?.rabbitmq === metadata.rabbitmq,
        opens: true,
        budget,
        maxBodyBytes,
        transmit: (kind, { headers, body }) => {
          const properties = { correlationId, replyTo: link.replyQueue, ...propertiesOf(kind, headers) };
          return link.publish(exchange, address, body, properties);
        },
      });
      dialled.set(correlationId, socket);
      void socket.closed.then(() => dialled.delete(correlationId));
      return socket;
    },

    async listen(address = randomToken(), listenOptions = {}) {
      lifetime.assertOpen(listenOptions);
      checkAddress(address);
      await link.ready(listenOptions);
      lifetime.assertOpen();
      if (listeners.has(address)) throw new MicroError('conflict', `${who}: ${address} is listened on already`);
      const listener = new ConversationListener({
        who,
        address,
        metadata,
        maxBodyBytes,
        serve: (take, serveOptions) => link.serve(address, (delivery) => take(incoming(link, delivery)), serveOptions),
        stop: () => link.unserve(address),
        maxSockets,
        maxUnreceivedBytes,
        closeTimeoutMs: settings.closeTimeoutMs,
        logger,
      });
      listeners.set(address, listener);
      void listener.closed.then(() => listeners.delete(address));
      return listener;
    },

    closed: lifetime.closed,
    close: (closeOptions) => lifetime.close(closeOptions),
    [Symbol.asyncDispose]: () => lifetime.close(),
  };
  return Object.defineProperty(transport, 'isConnected', { get: () => link.isConnected, enumerable: true });
}

function incoming(link: AmqpLink, delivery: Delivery): ConversationMessage {
  const { correlationId, replyTo = '' } = delivery.properties;
  return {
    key: `${replyTo} ${correlationId}`,
    remote: String(correlationId),
    // The reply queue of one process, for all that it dials.
    peer: String(replyTo),
    kind: kindOf(delivery),
    read: () => messageOf(delivery),
    transmit: (kind, { headers, body }) =>
      link.publish('', replyTo, body, { correlationId, ...propertiesOf(kind, headers) }),
  };
}

function checkAddress(address: string): void {
  checkName(address, `${who}: address`);
  const isPattern = address.split('.').some((token) => token === '*' || token === '#');
  const isTaken = address.startsWith('amq.');
  if (!isPattern && !isTaken && Buffer.byteLength(address) <= longestAddress) return;
  const rule = `has a wildcard, begins with amq., or is longer than ${longestAddress} bytes`;
  throw new MicroError('invalid', `${who}: address ${JSON.stringify(address)} ${rule}`);
}

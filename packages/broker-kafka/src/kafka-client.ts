import { once } from 'node:events';
import { Base, Consumer, Producer } from '@platformatic/kafka';
import { type ErrorCode, MicroError } from '@ts-micro/core';
import { LazyConnection, randomToken } from '@ts-micro/kit';
import { assignRanges } from './assign-ranges.ts';
import { type KafkaSettings, who } from './kafka-broker-options.ts';

const goodbyeMs = 1000;

/** What a client of the library is made with. Each retry is short, because what fails is tried again here. */
function clientOptions({ addresses, user, password = '', tls, requestTimeoutMs }: KafkaSettings) {
  return {
    clientId: `ts-micro-${randomToken().slice(0, 8)}`,
    bootstrapBrokers: [...addresses],
    connectTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    timeout: requestTimeoutMs,
    retries: 3,
    // A topic is there a moment after it was first asked for.
    retryDelay: (_client: unknown, _operation: string, attempt: number) => 15 * 3 ** (attempt - 1),
    autocreateTopics: true,
    ...(tls && { tls }),
    ...(user !== undefined && { sasl: { mechanism: 'PLAIN' as const, username: user, password } }),
  };
}

/** The producer of a broker, made anew where it has lost a server. */
export function producerConnection(settings: KafkaSettings): LazyConnection<Producer> {
  return new LazyConnection<Producer>({
    what: who,
    async dial() {
      const producer = new Producer({ ...clientOptions(settings), acks: -1 });
      return producer.on('error', () => {});
    },
    prepare: (producer) =>
      producer.metadata({ topics: [], forceUpdate: true }).catch((error) => {
        throw kafkaError(error, 'connecting');
      }),
    isReady: (producer) => !producer.closed,
    whenLost: (producer) => once(producer, 'client:broker:disconnect'),
    close: (producer) => producer.close(),
    destroy: letGo,
  });
}

export function newConsumer(settings: KafkaSettings, groupId: string): Consumer {
  const { sessionTimeoutMs, requestTimeoutMs } = settings;
  const consumer = new Consumer({
    ...clientOptions(settings),
    // A rebalance is answered when every member has joined.
    timeout: requestTimeoutMs + sessionTimeoutMs,
    requestTimeout: requestTimeoutMs + sessionTimeoutMs,
    groupId,
    // The first version, as members that speak another client may not read more.
    protocols: [{ name: 'range', version: 0 }],
    partitionAssigner: assignRanges,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: sessionTimeoutMs,
    heartbeatInterval: Math.min(500, sessionTimeoutMs / 20),
  });
  consumer.on('error', () => {});
  return consumer;
}

/** Closes a client of which nothing is wanted any more, also where it cannot say goodbye. */
export function letGo(client: Consumer | Producer): void {
  const close: (done: () => void) => void = Base.prototype.close;
  const hangUp = () => close.call(client, () => {});
  const timer = setTimeout(hangUp, goodbyeMs);
  // One that is closing already is stuck, or has closed.
  if (client.closed) hangUp();
  client.close(true, (error) => {
    clearTimeout(timer);
    if (error) hangUp();
  });
}

const words: readonly (readonly [RegExp, ErrorCode])[] = [
  [/MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE|too large/i, 'too_large'],
  [/AUTHENTICATION|AUTHORIZATION_FAILED/i, 'unauthorized'],
  [/INVALID_TOPIC/i, 'invalid'],
];

/** The error of what the library throws, which nests the causes. */
export function kafkaError(error: unknown, what: string): MicroError {
  if (error instanceof MicroError) return error;
  const all = causesOf(error);
  const text = all.map((each) => `${each.code} ${each.apiId ?? ''} ${each.message}`).join('; ');
  const code = words.find(([rule]) => rule.test(text))?.[1] ?? 'unavailable';
  const last = all.at(-1)?.message ?? MicroError.textOf(error);
  return new MicroError(code, `${who}: ${what}: ${last}`, { cause: error });
}

type Cause = Error & { readonly code?: string; readonly apiId?: string; readonly errors?: readonly unknown[] };

function causesOf(error: unknown, depth = 0): readonly Cause[] {
  if (!(error instanceof Error) || depth > 8) return [];
  const { errors = [], cause } = error as Cause;
  return [error as Cause, ...[...errors, cause].flatMap((each) => causesOf(each, depth + 1))];
}

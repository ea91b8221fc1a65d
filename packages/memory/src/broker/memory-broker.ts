import {
  type Broker,
  type BrokerFeatures,
  type BrokerHandler,
  type BrokerOptions,
  checkMessage,
  checkName,
  checkTopic,
  type Logger,
  type Message,
  type PublishOptions,
  type SubscribeOptions,
  type Subscriber,
} from '@ts-micro/core';
import {
  BrokerBase,
  checkRedelivery,
  OptionChecks,
  type OptionNames,
  refuseDurability,
  safeLogger,
} from '@ts-micro/kit';
import { checkCount } from '../check-count.ts';
import { copyMessage } from '../copy-message.ts';
import { type MemoryNetwork, networkOf } from '../memory-network.ts';
import type { Network } from '../network.ts';
import { MemoryMember } from './memory-member.ts';
import { MemorySubscriber } from './memory-subscriber.ts';

export interface MemoryBrokerOptions {
  /** The network on which it meets others. @default the one network that everybody in this process shares */
  readonly network?: MemoryNetwork | undefined;
  /** The largest body in bytes. @default 67108864 (64 MiB) */
  readonly maxBodyBytes?: number | undefined;
  /**
   * Messages that may wait for a subscription's handler; what comes beyond is dropped and reported as `unavailable`.
   * In a durable queue, messages that wait for its members; beyond it `publish` rejects with `unavailable`.
   * @default 65536
   */
  readonly maxQueuedMessages?: number | undefined;
  /** Bytes that may wait likewise, and one message more. @default 67108864 (64 MiB) */
  readonly maxQueuedBytes?: number | undefined;
  /** How long closing and disconnecting wait for handlers, in milliseconds. @default 10000 */
  readonly closeTimeoutMs?: number | undefined;
  /**
   * Queues are durable: they keep their messages while no member is there, as long as this process and network live,
   * and what a handler throws at comes again. @default false
   */
  readonly durable?: boolean | undefined;
  /** Told of handlers that throw where `subscribe` was given no `onError`. @default silent */
  readonly logger?: Logger | undefined;
}

const who = 'memory broker';
const optionNames: OptionNames<MemoryBrokerOptions> = {
  network: true,
  maxBodyBytes: true,
  maxQueuedMessages: true,
  maxQueuedBytes: true,
  closeTimeoutMs: true,
  durable: true,
  logger: ['log'],
};

/**
 * Publish and subscribe inside one process: the reference for the contract of {@link Broker}.
 *
 * A topic is tokens between dots, as in NATS: not empty, no white space, no control characters. Errors: `invalid` for
 * an option.
 */
export function memoryBroker(options: MemoryBrokerOptions = {}): Broker {
  new OptionChecks(who).named(options, optionNames);
  return new MemoryBroker(options);
}

class MemoryBroker extends BrokerBase implements Broker {
  readonly name = 'memory';
  readonly address = '';
  readonly options: BrokerOptions & {
    readonly maxBodyBytes: number;
    readonly maxQueuedMessages: number;
    readonly maxQueuedBytes: number;
    readonly closeTimeoutMs: number;
    readonly durable: boolean;
  };
  readonly supports: BrokerFeatures;
  readonly #network: Network;
  readonly #logger: Logger;

  constructor({
    network,
    maxBodyBytes = 64 * 1024 * 1024,
    maxQueuedMessages = 65_536,
    maxQueuedBytes = 64 * 1024 * 1024,
    closeTimeoutMs = 10_000,
    durable = false,
    logger,
  }: MemoryBrokerOptions) {
    super(who);
    checkCount(maxBodyBytes, `${who}: maxBodyBytes`);
    checkCount(maxQueuedMessages, `${who}: maxQueuedMessages`);
    checkCount(maxQueuedBytes, `${who}: maxQueuedBytes`);
    checkCount(closeTimeoutMs, `${who}: closeTimeoutMs`, 0);
    new OptionChecks(who).boolean('durable', durable);
    const addresses: readonly string[] = Object.freeze([]);
    const queued = { maxQueuedMessages, maxQueuedBytes };
    this.options = Object.freeze({ addresses, maxBodyBytes, ...queued, closeTimeoutMs, durable });
    this.supports = Object.freeze({
      queues: true,
      wildcards: true,
      maxBodyBytes,
      durableQueues: durable,
      redelivery: durable,
    });
    this.#network = networkOf(network, who);
    this.#logger = safeLogger(logger);
  }

  async publish(topic: string, message: Message, options?: PublishOptions): Promise<void> {
    this.assertMayPublish(options);
    checkTopic(topic, who);
    checkMessage(message, this.supports.maxBodyBytes, who);
    const id = options?.id;
    if (id !== undefined) {
      if (!this.options.durable) refuseDurability({ id }, who);
      checkName(id, `${who}: id`);
    }
    this.#network.assertReachable(who);
    const copy = copyMessage(message);
    await this.#network.later(() => this.#network.topics.deliver(topic, copy, id));
  }

  async subscribe(topic: string, handler: BrokerHandler, options: SubscribeOptions = {}): Promise<Subscriber> {
    this.assertMaySubscribe(options);
    this.#network.assertReachable(who);
    const { durable, maxQueuedMessages, maxQueuedBytes, closeTimeoutMs } = this.options;
    if (durable) checkRedelivery(options, who);
    else refuseDurability(options, who);
    const network = this.#network;
    const queued = { maxQueuedMessages, maxQueuedBytes };
    const init = { network, topic, handler, options, ...queued, closeTimeoutMs, logger: this.#logger };
    const { queue } = options;
    const subscriber =
      durable && queue !== undefined ? new MemoryMember({ ...init, queue }) : new MemorySubscriber(init);
    return this.keep(subscriber, () => {}, options);
  }

  protected async dial(): Promise<void> {
    this.#network.assertReachable(who);
  }

  protected finishPublishing(): void {}

  protected hangUp(): void {}
}

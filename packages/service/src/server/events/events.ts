import {
  type AbortOptions,
  type Broker,
  type BrokerEvent,
  type Message,
  MicroError,
  type SubscribeOptions,
  type Subscriber,
} from '@ts-micro/core';
import { RateLimitedLogger } from '@ts-micro/kit';
import { formatError, remoteError } from '../../rpc/error-text.ts';
import { KeptOpen } from '../lifecycle/kept-open.ts';
import { HandlerContext } from '../serve/handler-context.ts';
import type { ServiceCore } from '../serve/service-core.ts';
import { contentTypeOf } from './media-type.ts';
import { handleEvent, type Subscription } from './subscription.ts';

/**
 * The subscribers of a service: one subscription of the broker each, and all of a topic for an event that comes over
 * the transport.
 */
export class Events {
  readonly #core: ServiceCore;
  /** Each with its own log, so that no flood at one hides the others' failures. */
  readonly #subscriptions = new Map<Subscription, RateLimitedLogger>();
  #subscribers: KeptOpen<Subscriber>[] = [];

  constructor(core: ServiceCore) {
    this.#core = core;
  }

  get all(): readonly Subscription[] {
    return [...this.#subscriptions.keys()];
  }

  add(subscription: Subscription): void {
    this.#subscriptions.set(subscription, new RateLimitedLogger(this.#core.logger));
  }

  /**
   * Subscribes, and keeps the subscriptions from then on; `onChange` is told when one is lost and when it is there
   * again.
   */
  async open(broker: Broker, onChange: () => void, options: AbortOptions): Promise<void> {
    const { name: service, logger } = this.#core;
    for (const subscription of this.#subscriptions.keys()) {
      const subscriber = new KeptOpen<Subscriber>({
        what: `the subscription of "${subscription.topic}"`,
        service,
        open: (openOptions, notices) => this.#subscribe(broker, subscription, { ...openOptions, ...notices }),
        onChange,
        logger,
      });
      this.#subscriptions.set(subscription, new RateLimitedLogger(logger));
      this.#subscribers.push(subscriber);
      await subscriber.begin(options);
    }
  }

  /** Why events of some topic do not come in, in words. */
  get problems(): readonly string[] {
    return this.#subscribers.map(({ problem }) => problem).filter((problem) => problem !== undefined);
  }

  /** Stops intake, and waits for running handlers as long as `signal` allows. */
  async close(options: AbortOptions): Promise<void> {
    const subscribers = this.#subscribers;
    this.#subscribers = [];
    await Promise.all(subscribers.map((subscriber) => subscriber.end(options)));
    for (const logger of this.#subscriptions.values()) logger.end();
  }

  /**
   * Runs the subscribers of a topic one after the other, as a Go server does; resolves with the text of what they
   * threw.
   */
  async relay(message: Message, context: HandlerContext): Promise<string | undefined> {
    const failures: string[] = [];
    for (const subscription of this.#subscriptions.keys()) {
      if (subscription.topic !== context.topic) continue;
      try {
        await context.run(() => handleEvent(this.#core, subscription, message, context));
      } catch (error) {
        this.#report(subscription, error, context.topic);
        failures.push(MicroError.textOf(error));
      }
    }
    if (failures.length === 0) return undefined;
    return formatError(remoteError('go.micro.server', 500, `subscriber error: ${failures.join('\n')}`));
  }

  #subscribe(broker: Broker, subscription: Subscription, given: SubscribeOptions): Promise<Subscriber> {
    const { topic, options } = subscription;
    return broker.subscribe(topic, (event) => this.#handle(subscription, event), {
      ...given,
      queue: options.queue,
      concurrency: options.concurrency,
      onError: (error, event) => this.#report(subscription, error, event?.topic ?? topic),
    });
  }

  #handle(subscription: Subscription, { topic, message }: BrokerEvent): Promise<void> | undefined {
    const { name, limiter } = this.#core;
    const context = new HandlerContext({
      kind: 'event',
      service: name,
      name: topic,
      headers: message.headers,
      contentType: contentTypeOf(message.headers),
      local: topic,
      remote: '',
    });
    limiter.begin(context);
    let handling: Promise<unknown> | undefined;
    try {
      handling = context.run(() => handleEvent(this.#core, subscription, message, context));
    } finally {
      if (handling === undefined) limiter.end(context);
    }
    return handling === undefined ? undefined : this.#finish(handling, context);
  }

  async #finish(handling: Promise<unknown>, context: HandlerContext): Promise<void> {
    try {
      await handling;
    } finally {
      this.#core.limiter.end(context);
    }
  }

  #report(subscription: Subscription, error: unknown, topic: string): void {
    this.#core.limiter.errors++;
    // The broker wraps what a handler threw.
    const cause = MicroError.is(error, 'internal') && error.cause !== undefined ? error.cause : error;
    this.#subscriptions
      .get(subscription)
      ?.error('event not handled', { service: this.#core.name, topic, error: cause });
  }
}

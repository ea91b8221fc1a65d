import {
  type AbortOptions,
  type Broker,
  type BrokerEvent,
  type Message,
  MicroError,
  type Subscriber,
} from '@ts-micro/core';
import { RateLimitedLogger } from '@ts-micro/kit';
import { defaultContentType } from '../../rpc/content-type.ts';
import { formatError, remoteError } from '../../rpc/error-text.ts';
import { header } from '../../rpc/headers.ts';
import { HandlerContext } from '../serve/handler-context.ts';
import type { ServiceCore } from '../serve/service-core.ts';
import { handleEvent, type Subscription } from './subscription.ts';

/** The subscribers of a service: one subscription of the broker each, and all of a topic for an event that comes over the transport. */
export class Events {
  readonly #core: ServiceCore;
  /** Each with its own log, so that no flood at one hides the others' failures. */
  readonly #subscriptions = new Map<Subscription, RateLimitedLogger>();
  readonly #subscribers: Subscriber[] = [];

  constructor(core: ServiceCore) {
    this.#core = core;
  }

  get all(): readonly Subscription[] {
    return [...this.#subscriptions.keys()];
  }

  add(subscription: Subscription): void {
    this.#subscriptions.set(subscription, new RateLimitedLogger(this.#core.logger));
  }

  async open(broker: Broker, options: AbortOptions): Promise<void> {
    for (const subscription of this.#subscriptions.keys()) {
      const { topic, options: wanted } = subscription;
      const subscriber = await broker.subscribe(topic, (event) => this.#handle(subscription, event), {
        queue: wanted.queue,
        concurrency: wanted.concurrency,
        onError: (error, event) => this.#report(subscription, error, event?.topic ?? topic),
        signal: options.signal,
      });
      this.#subscribers.push(subscriber);
    }
  }

  /** Stops intake, and waits for running handlers as long as `signal` allows. */
  async close(options: AbortOptions): Promise<void> {
    await Promise.all(this.#subscribers.splice(0).map((subscriber) => subscriber.close(options)));
    for (const logger of this.#subscriptions.values()) logger.end();
  }

  /** Runs the subscribers of a topic one after the other, as a Go server does; resolves with the text of what they threw. */
  async relay(message: Message, context: HandlerContext): Promise<string | undefined> {
    const failures: string[] = [];
    for (const subscription of this.#subscriptions.keys()) {
      if (subscription.topic !== context.topic) continue;
      try {
        await handleEvent(this.#core, subscription, message, context);
      } catch (error) {
        this.#report(subscription, error, context.topic);
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
    if (failures.length === 0) return undefined;
    return formatError(remoteError('go.micro.server', 500, `subscriber error: ${failures.join('\n')}`));
  }

  #handle(subscription: Subscription, { topic, message }: BrokerEvent): Promise<void> | undefined {
    const { name, limiter } = this.#core;
    const context = new HandlerContext({
      service: name,
      name: topic,
      headers: message.headers,
      contentType: message.headers[header.contentType] || defaultContentType,
      local: topic,
      remote: '',
    });
    limiter.begin(context);
    let handling: Promise<unknown> | undefined;
    try {
      handling = handleEvent(this.#core, subscription, message, context);
    } finally {
      if (handling === undefined) limiter.end(context);
    }
    return handling && this.#finish(handling, context);
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

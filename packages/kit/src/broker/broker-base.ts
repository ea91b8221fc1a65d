import {
  type AbortOptions,
  MicroError,
  type PublishOptions,
  type SubscribeOptions,
  type Subscriber,
} from '@ts-micro/core';
import { abortable, throwIfAborted } from '../lifecycle/abort.ts';
import { ClosableBase } from '../lifecycle/closable-base.ts';
import { closeAll } from '../lifecycle/close-all.ts';
import { OptionChecks, type OptionNames } from '../lifecycle/options.ts';

const publishNames: OptionNames<PublishOptions> = { signal: ['abortSignal'], id: ['messageId'] };
const subscribeNames: OptionNames<SubscribeOptions> = {
  signal: ['abortSignal'],
  queue: ['group', 'queueGroup'],
  concurrency: true,
  onError: true,
  onLost: true,
  onRestored: true,
  durable: true,
  redelivery: true,
};

/**
 * The life of a broker: it connects, disconnects for a while, and closes, and its subscribers end with it. What their
 * handlers still publish goes out.
 */
export abstract class BrokerBase extends ClosableBase {
  readonly #what: string;
  readonly #checks: OptionChecks;
  readonly #subscribers = new Set<Subscriber>();
  #isDisconnected = false;
  #isFinishing = false;
  #leaving: Promise<void> | undefined;

  /** `what` begins the message of every error: `nats broker`. */
  constructor(what: string) {
    super(what);
    this.#what = what;
    this.#checks = new OptionChecks(what);
  }

  /** Resolves once it is connected. */
  protected abstract dial(options: AbortOptions): Promise<unknown>;

  /** Waits until all that is being published is out, or given up. Runs after the last handler; never rejects. */
  protected abstract finishPublishing(options: AbortOptions): unknown;

  /** Gives the connection back. Runs last, at each disconnect and at the close. */
  protected abstract hangUp(options: AbortOptions): unknown;

  async connect(options: AbortOptions = {}): Promise<void> {
    this.lifetime.assertOpen(options);
    if (this.#leaving) {
      const left = this.#leaving.catch(() => {});
      await abortable(left, options.signal, `${this.#what}: connecting`);
    }
    await this.dial(options);
    this.lifetime.assertOpen(options);
    this.#isDisconnected = false;
  }

  /** Ends every subscription. What a handler had to abandon was told to its subscriber. */
  async disconnect(options: AbortOptions = {}): Promise<void> {
    this.lifetime.assertOpen();
    await this.#leave(options).catch(() => {});
  }

  /** Throws where it is closed or disconnected, or the signal has aborted. */
  protected assertUsable(options: AbortOptions | undefined): void {
    this.lifetime.assertOpen(options);
    if (this.#isDisconnected) throw new MicroError('unavailable', `${this.#what} is disconnected`, { retrySafe: true });
  }

  /**
   * The same for subscribing; throws `invalid` as well, for an option that is none or of the wrong type. `others` are
   * the names of the backend's own options.
   */
  protected assertMaySubscribe(options: SubscribeOptions, others: OptionNames<object> = {}): void {
    this.assertUsable(options);
    const checks = this.#checks;
    checks.named(options, { ...subscribeNames, ...others });
    const { queue, concurrency, onError, onLost, onRestored, durable, redelivery } = options;
    if (queue !== undefined) checks.text('queue', queue);
    if (concurrency !== undefined) checks.whole('concurrency', concurrency);
    for (const [name, callback] of Object.entries({ onError, onLost, onRestored }))
      checks.optionalFunction(name, callback);
    if (durable !== undefined) checks.boolean('durable', durable);
    if (redelivery !== undefined) checks.bag(redelivery);
  }

  /**
   * The same as {@link assertUsable} for publishing, which handlers may do until the last of them has returned; throws
   * `invalid` as well, for an option that is none.
   */
  protected assertMayPublish(options: PublishOptions | undefined): void {
    if (this.#isFinishing) throwIfAborted(options?.signal, this.#what);
    else this.assertUsable(options);
    if (options !== undefined) this.#checks.named(options, publishNames);
  }

  /** Keeps a subscriber until it ends. Resolves with it once it has started; closes it where it cannot. */
  protected async keep<S extends Subscriber>(subscriber: S, start: () => unknown, options: AbortOptions): Promise<S> {
    this.#subscribers.add(subscriber);
    void subscriber.closed.then(() => this.#subscribers.delete(subscriber));
    try {
      await start();
    } catch (error) {
      await subscriber.close(options);
      throw error;
    }
    return subscriber;
  }

  protected release(options: AbortOptions): Promise<void> {
    return this.#leave(options);
  }

  #leave(options: AbortOptions): Promise<void> {
    this.#leaving ??= this.#endAll(options).finally(() => {
      this.#leaving = undefined;
    });
    return this.#leaving;
  }

  async #endAll(options: AbortOptions): Promise<void> {
    this.#isDisconnected = true;
    this.#isFinishing = true;
    const closing = closeAll(this.#subscribers, options);
    await closing.catch(() => {});
    await this.finishPublishing(options);
    this.#isFinishing = false;
    await this.hangUp(options);
    await closing;
  }
}

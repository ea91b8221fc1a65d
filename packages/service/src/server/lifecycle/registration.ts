import { type AbortOptions, type Logger, MicroError, type Registry, type ServiceRecord } from '@ts-micro/core';

export interface RegistrationInit {
  readonly registry: Registry;
  readonly record: ServiceRecord;
  readonly intervalMs: number;
  readonly ttlMs: number;
  readonly logger: Logger;
}

// A Go client that looked just before answers "not found" from its cache for five seconds; only a further announcement helps it.
const announceAgainMs = 1000;
const firstRetryMs = 500;

/** A service's place in the registry, kept by a heartbeat. */
export class Registration {
  readonly #init: RegistrationInit;
  #timer: NodeJS.Timeout | undefined;
  #beat: Promise<void> | undefined;
  #ending: Promise<void> | undefined;
  #abort: AbortController = new AbortController();
  #hasTried = false;
  #registeredAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #error: MicroError | undefined;

  constructor(init: RegistrationInit) {
    this.#init = init;
  }

  /** True while the lease of the last successful registration runs. */
  get isRegistered(): boolean {
    return performance.now() - this.#registeredAt < this.#init.ttlMs;
  }

  /** Why the last attempt failed; `undefined` where it did not. */
  get error(): MicroError | undefined {
    return this.#error;
  }

  /** Registers for the first time, and keeps the place from then on. Rejects where the registry cannot be asked. */
  async begin(options: AbortOptions): Promise<void> {
    await this.#register(options);
    this.#schedule(Math.min(announceAgainMs, this.#init.intervalMs));
  }

  /** Stops the heartbeat and gives the place up. Never rejects, once is enough; the lease takes care of what could not be told. */
  end(options: AbortOptions): Promise<void> {
    this.#ending ??= this.#end(options);
    return this.#ending;
  }

  async #end(options: AbortOptions): Promise<void> {
    clearTimeout(this.#timer);
    this.#abort.abort(new MicroError('canceled', 'the service is stopping'));
    // A heartbeat under way must not come after the deregistration.
    await this.#beat;
    if (!this.#hasTried) return;
    this.#registeredAt = Number.NEGATIVE_INFINITY;
    const { registry, record, logger } = this.#init;
    try {
      await registry.deregister(record, options);
    } catch (error) {
      logger.warn('service not deregistered', { service: record.name, registry: registry.name, error });
    }
  }

  async #register({ signal }: AbortOptions): Promise<void> {
    const { registry, record, ttlMs } = this.#init;
    this.#hasTried = true;
    await registry.register(record, registry.supports.ttl ? { ttlMs, signal } : { signal });
    this.#registeredAt = performance.now();
  }

  #schedule(delayMs: number): void {
    if (this.#abort.signal.aborted) return;
    const beat = () => {
      this.#beat = this.#heartbeat();
    };
    this.#timer = setTimeout(beat, delayMs).unref();
  }

  async #heartbeat(): Promise<void> {
    const { intervalMs, record, registry, logger } = this.#init;
    let delayMs = intervalMs;
    try {
      await this.#register({ signal: AbortSignal.any([this.#abort.signal, AbortSignal.timeout(intervalMs)]) });
      if (this.#failures > 0)
        logger.info('service registered again', { service: record.name, registry: registry.name });
      this.#failures = 0;
      this.#error = undefined;
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#error = MicroError.from(error, 'internal', `${registry.name} registry`);
      logger.warn('heartbeat failed', { service: record.name, registry: registry.name, error });
      delayMs = Math.min(firstRetryMs * 2 ** Math.min(this.#failures, 20), intervalMs);
      this.#failures++;
    }
    this.#schedule(delayMs);
  }
}

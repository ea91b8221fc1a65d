import { type AbortOptions, type Logger, MicroError, type Registry, type ServiceRecord } from '@ts-micro/core';

export interface RegistrationInit {
  readonly registry: Registry;
  readonly intervalMs: number;
  readonly ttlMs: number;
  readonly logger: Logger;
}

// A Go client that looked just before answers "not found" from its cache for five seconds; only a further announcement
// helps it.
const announceAgainMs = 1000;
const firstRetryMs = 500;
const withdrawTimeoutMs = 5000;

/** A service's place in the registry, kept by a heartbeat. */
export class Registration {
  readonly #init: RegistrationInit;
  #record: ServiceRecord;
  #timer: NodeJS.Timeout | undefined;
  /** Calls of the registry run one after the other: a heartbeat under way must not come after a deregistration. */
  #turn: Promise<void> = Promise.resolve();
  #ending: Promise<void> | undefined;
  /** Ends the heartbeat under way. */
  #abort: AbortController = new AbortController();
  #isWithdrawn = false;
  /** The record that the registry may know. */
  #announced: ServiceRecord | undefined;
  #registeredAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #error: MicroError | undefined;
  /** The registry does not let it be found. */
  #isRefused = false;
  #losses = 0;

  constructor(init: RegistrationInit, record: ServiceRecord) {
    this.#init = init;
    this.#record = record;
  }

  /** True while the lease of the last successful registration runs. */
  get isRegistered(): boolean {
    return performance.now() - this.#registeredAt < this.#init.ttlMs;
  }

  /** True where the service itself keeps out of the registry for now. */
  get isWithdrawn(): boolean {
    return this.#isWithdrawn;
  }

  /** Why the last attempt failed; `undefined` where it did not. */
  get error(): MicroError | undefined {
    return this.#error;
  }

  /** True where the registry does not let the service be found, though it may answer otherwise; `error` says why. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** Registers for the first time, and keeps the place from then on. Rejects where the registry cannot be asked. */
  async begin(options: AbortOptions): Promise<void> {
    await this.#register(options);
    this.#schedule(Math.min(announceAgainMs, this.#init.intervalMs));
  }

  /** Gives the place up until {@link renew}: whoever cannot be reached must not be found. */
  withdraw(): void {
    if (this.#isWithdrawn) return;
    this.#isWithdrawn = true;
    this.#stopBeating(new MicroError('canceled', 'the service cannot serve for now'));
    this.#inTurn(() => this.#deregister({ signal: AbortSignal.timeout(withdrawTimeoutMs) }));
  }

  /** Takes the place again, with the record as it is now. */
  renew(record: ServiceRecord): void {
    this.#record = record;
    if (!this.#isWithdrawn || this.#ending !== undefined) return;
    this.#isWithdrawn = false;
    this.#abort = new AbortController();
    this.#inTurn(() => this.#heartbeat());
  }

  /**
   * Stops the heartbeat and gives the place up. Never rejects, once is enough; the lease takes care of what could not
   * be told.
   */
  end(options: AbortOptions): Promise<void> {
    if (this.#ending === undefined) {
      this.#stopBeating(new MicroError('canceled', 'the service is stopping'));
      this.#inTurn(() => this.#deregister(options));
      this.#ending = this.#turn;
    }
    return this.#ending;
  }

  #stopBeating(reason: MicroError): void {
    clearTimeout(this.#timer);
    this.#abort.abort(reason);
  }

  #inTurn(work: () => Promise<void>): void {
    this.#turn = this.#turn.then(work);
  }

  async #deregister(options: AbortOptions): Promise<void> {
    const record = this.#announced;
    if (record === undefined) return;
    this.#registeredAt = Number.NEGATIVE_INFINITY;
    const { registry, logger } = this.#init;
    try {
      await registry.deregister(record, options);
      this.#announced = undefined;
    } catch (error) {
      logger.warn('service not deregistered', { service: record.name, registry: registry.name, error });
    }
  }

  async #register({ signal }: AbortOptions): Promise<void> {
    const { registry, ttlMs } = this.#init;
    const record = this.#record;
    this.#announced = record;
    const onLost = (error: MicroError) => this.#onLost(error);
    await registry.register(record, registry.supports.ttl ? { ttlMs, signal, onLost } : { signal, onLost });
    this.#registeredAt = performance.now();
  }

  /** The registry lets nobody find it: it leaves, and tries again with growing pauses. */
  #onLost(error: MicroError): void {
    if (this.#ending !== undefined || this.#isWithdrawn) return;
    const { registry, logger } = this.#init;
    this.#isRefused = true;
    this.#losses++;
    this.#error = error;
    logger.error('service cannot be found', { service: this.#record.name, registry: registry.name, error });
    clearTimeout(this.#timer);
    this.#inTurn(async () => {
      await this.#deregister({ signal: AbortSignal.timeout(withdrawTimeoutMs) });
      this.#retryLater();
    });
  }

  #retryLater(): void {
    this.#schedule(Math.min(firstRetryMs * 2 ** Math.min(this.#failures, 20), this.#init.intervalMs));
    this.#failures++;
  }

  #schedule(delayMs: number): void {
    if (this.#abort.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#inTurn(() => this.#heartbeat()), delayMs).unref();
  }

  async #heartbeat(): Promise<void> {
    const { intervalMs, registry, logger } = this.#init;
    const { signal } = this.#abort;
    if (signal.aborted) return;
    const service = this.#record.name;
    const losses = this.#losses;
    try {
      await this.#register({ signal: AbortSignal.any([signal, AbortSignal.timeout(intervalMs)]) });
      // Lost meanwhile: what comes next in turn takes care of that.
      if (losses !== this.#losses) return;
      if (this.#failures > 0) logger.info('service registered again', { service, registry: registry.name });
      this.#failures = 0;
      this.#error = undefined;
      this.#isRefused = false;
      this.#schedule(intervalMs);
    } catch (error) {
      if (signal.aborted) return;
      this.#error = MicroError.from(error, 'internal', `${registry.name} registry`);
      logger.warn('heartbeat failed', { service, registry: registry.name, error });
      if (this.#error.code === 'unauthorized' && !this.#isRefused) {
        // Who asks may still find what others can no longer hear of.
        this.#isRefused = true;
        await this.#deregister({ signal: AbortSignal.timeout(withdrawTimeoutMs) });
      }
      this.#retryLater();
    }
  }
}

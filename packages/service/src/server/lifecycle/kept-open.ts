import { type AbortOptions, type Closable, type Logger, MicroError } from '@ts-micro/core';
import { pause } from '@ts-micro/kit';

export interface KeptOpenInit<T extends Closable> {
  /** Names it in the log and in the service's health: `the listener`. */
  readonly what: string;
  readonly service: string;
  /** Makes it, and makes it again. Where its backend brings it back by itself, `notices` are told. */
  readonly open: (options: AbortOptions, notices: LossNotices) => Promise<T>;
  /** Told when it is lost, and when it is there again. */
  readonly onChange: () => void;
  readonly logger: Logger;
}

export interface LossNotices {
  readonly onLost: (error: MicroError) => void;
  readonly onRestored: () => void;
}

const firstRetryMs = 250;
const longestRetryMs = 30_000;
const openTimeoutMs = 10_000;

/**
 * Something that has to be open while a service runs. Where it is lost in mid-life, it is made again, with growing
 * pauses.
 */
export class KeptOpen<T extends Closable> {
  readonly #init: KeptOpenInit<T>;
  readonly #ending: AbortController = new AbortController();
  readonly #notices: LossNotices = {
    onLost: (error) => this.#onLost(error),
    onRestored: () => this.#onRestored(),
  };
  #current: T | undefined;
  #problem: string | undefined;
  #isLostForGood = false;

  constructor(init: KeptOpenInit<T>) {
    this.#init = init;
  }

  get current(): T | undefined {
    return this.#current;
  }

  /** Why it is not open; `undefined` where it is. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** True where its plugin is closed, so that no further try can succeed. */
  get isLostForGood(): boolean {
    return this.#isLostForGood;
  }

  /** Opens it for the first time. Rejects where that fails. */
  async begin(options: AbortOptions): Promise<void> {
    this.#keep(await this.#init.open(options, this.#notices));
  }

  /** Closes it, and keeps it open no longer. Never rejects. */
  async end(options: AbortOptions): Promise<void> {
    const { what, service, logger } = this.#init;
    this.#ending.abort();
    try {
      await this.#current?.close(options);
    } catch (error) {
      logger.warn(`${what} was not closed`, { service, error });
    }
  }

  #keep(opened: T): void {
    this.#current = opened;
    void opened.closed.then((cause) => this.#onClosed(cause));
  }

  #onClosed(cause: MicroError | undefined): void {
    if (this.#ending.signal.aborted) return;
    this.#onLost(cause);
    void this.#restore();
  }

  #onLost(cause: MicroError | undefined): void {
    if (this.#ending.signal.aborted) return;
    const { what, service, logger, onChange } = this.#init;
    this.#problem = `${what} is lost${cause === undefined ? '' : `: ${cause.message}`}`;
    logger.error(`${what} is lost`, { service, error: cause });
    onChange();
  }

  #onRestored(): void {
    if (this.#ending.signal.aborted) return;
    const { what, service, logger, onChange } = this.#init;
    this.#problem = undefined;
    logger.info(`${what} is open again`, { service });
    onChange();
  }

  async #restore(): Promise<void> {
    const { signal } = this.#ending;
    let delayMs = firstRetryMs;
    while (!(await this.#tryAgain())) {
      if (this.#isLostForGood) return;
      // Half of it by chance, so that the services of a broker that came back do not all come at once.
      await pause(delayMs * (0.5 + Math.random() / 2), { signal, keepsAlive: false });
      if (signal.aborted) return;
      delayMs = Math.min(delayMs * 2, longestRetryMs);
    }
    this.#onRestored();
  }

  async #tryAgain(): Promise<boolean> {
    const { what, service, open, logger } = this.#init;
    const { signal } = this.#ending;
    try {
      const opened = await open(
        { signal: AbortSignal.any([signal, AbortSignal.timeout(openTimeoutMs)]) },
        this.#notices,
      );
      if (signal.aborted) await opened.close();
      else this.#keep(opened);
      return true;
    } catch (error) {
      if (signal.aborted) return true;
      this.#isLostForGood = MicroError.is(error, 'closed');
      this.#problem = `${what} cannot be opened again: ${MicroError.textOf(error)}`;
      logger.warn(`${what} cannot be opened again`, { service, error });
      return false;
    }
  }
}

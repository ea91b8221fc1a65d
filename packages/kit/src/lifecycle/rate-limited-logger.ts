import { type LogFields, type Logger, silentLogger } from '@ts-micro/core';
import { safeLogger } from './safe-logger.ts';

type Level = keyof Logger;

/** Counts what is held back of one line, until its second is over. */
interface Held {
  readonly timer: ReturnType<typeof setTimeout>;
  fields: LogFields | undefined;
  count: number;
}

const intervalMs = 1000;

/**
 * A logger for lines which others can cause as often as they like, so that a flood of bad messages does not become one
 * of log lines.
 *
 * Writes the first line of each message at once. Of the lines with the same message that follow, it writes the latest
 * once a second, with the number of those left out as the field `leftOut`. Different messages do not hold each other
 * back. Errors that the given logger throws are dropped, as by `safeLogger`.
 */
export class RateLimitedLogger implements Logger {
  readonly #logger: Logger;
  readonly #held = new Map<string, Held>();
  #isEnded = false;

  constructor(logger: Logger) {
    this.#logger = safeLogger(logger);
    // Nobody listens, so there is nothing to count.
    this.#isEnded = logger === silentLogger;
  }

  debug(message: string, fields?: LogFields): void {
    this.#log('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#log('error', message, fields);
  }

  /** Tells what is held back, and holds nothing back from now on. */
  end(): void {
    this.#isEnded = true;
    for (const [key, held] of this.#held) {
      clearTimeout(held.timer);
      this.#tellHeld(key, held);
    }
    this.#held.clear();
  }

  #log(level: Level, message: string, fields: LogFields | undefined): void {
    if (this.#isEnded) {
      this.#logger[level](message, fields);
      return;
    }
    const key = `${level} ${message}`;
    const held = this.#held.get(key);
    if (held !== undefined) {
      held.fields = fields;
      held.count++;
      return;
    }
    this.#hold(key);
    this.#logger[level](message, fields);
  }

  #hold(key: string): void {
    const timer = setTimeout(() => this.#onInterval(key), intervalMs);
    (timer as { unref?(): void }).unref?.();
    this.#held.set(key, { timer, fields: undefined, count: 0 });
  }

  #onInterval(key: string): void {
    const held = this.#held.get(key);
    this.#held.delete(key);
    if (held === undefined || held.count === 0) return;
    this.#hold(key);
    this.#tellHeld(key, held);
  }

  #tellHeld(key: string, { fields, count }: Held): void {
    if (count === 0) return;
    const space = key.indexOf(' ');
    const leftOut = count - 1;
    this.#logger[key.slice(0, space) as Level](key.slice(space + 1), leftOut === 0 ? fields : { ...fields, leftOut });
  }
}

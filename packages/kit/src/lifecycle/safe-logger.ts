import { type LogFields, type Logger, MicroError, silentLogger } from '@ts-micro/core';

const wrapped = new WeakMap<Logger, Logger>();
const levels = ['debug', 'info', 'warn', 'error'] as const;

/**
 * Returns a logger that never throws and never rejects: what the given one throws is dropped. Every factory wraps the
 * logger it is given once, so that no line of a log can harm a call, a slot or a heartbeat. The same logger gives the
 * same wrapper, and a wrapper itself. Throws `invalid` for what can be no logger.
 */
export function safeLogger(logger: Logger | undefined): Logger {
  // As other toolkits have it, `null` is none.
  if (logger === undefined || logger === null || logger === silentLogger) return silentLogger;
  if (typeof logger !== 'object' && typeof logger !== 'function')
    throw new MicroError('invalid', `option logger is of type ${typeof logger}, not a logger`);
  const known = wrapped.get(logger);
  if (known !== undefined) return known;
  const log = (level: (typeof levels)[number], message: string, fields?: LogFields): void => {
    callSafely(
      () => logger[level](message, fields),
      () => {
        // There is nobody left to tell.
      },
    );
  };
  const safe: Logger = {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields) => log('error', message, fields),
  };
  wrapped.set(logger, safe);
  wrapped.set(safe, safe);
  return safe;
}

/**
 * Runs a callback of the user whose result nobody waits for. What it throws, or rejects with where it is declared
 * `async`, goes to `onThrown`, which must not throw. Never throws itself, whatever it was given.
 */
export function callSafely(callback: () => unknown, onThrown: (error: unknown) => void): void {
  try {
    const done = callback() as PromiseLike<unknown> | null | undefined;
    if (typeof done?.then === 'function') done.then(undefined, onThrown);
  } catch (error) {
    onThrown(error);
  }
}

/** What is looked at for promises, at the most. */
const mostObjects = 10_000;

/**
 * Looks for promises in a value that was refused because of one: as nobody waits for them, what they reject with ends
 * no process. Never throws.
 */
export function ignoreRejectionsIn(value: unknown): void {
  const seen = new Set<unknown>([value]);
  try {
    for (const item of seen) {
      if (typeof item !== 'object' || item === null || ArrayBuffer.isView(item) || ignoreRejection(item)) continue;
      for (const part of Object.values(item)) if (seen.size < mostObjects) seen.add(part);
    }
  } catch {
    // A getter that throws, or a proxy.
  }
}

/**
 * Returns whether a value is a promise, given by a callback that may not be `async`. What it rejects with then ends no
 * process. Never throws.
 */
export function ignoreRejection(value: unknown): boolean {
  try {
    const { then } = (value ?? {}) as { readonly then?: unknown };
    if (typeof then !== 'function') return false;
    then.call(value, undefined, () => {});
    return true;
  } catch {
    return false;
  }
}

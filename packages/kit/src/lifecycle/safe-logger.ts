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
    try {
      // A logger that is declared `async` may reject as well.
      const done = logger[level](message, fields) as unknown as PromiseLike<unknown> | undefined;
      if (typeof done?.then === 'function') done.then(undefined, () => {});
    } catch {
      // There is nobody left to tell.
    }
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

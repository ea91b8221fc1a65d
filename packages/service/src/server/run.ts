import { type AbortOptions, type LogFields, type Logger, MicroError } from '@ts-micro/core';
import { callSafely, longestTimerMs, OptionChecks, type OptionNames, safeLogger } from '@ts-micro/kit';
import type { Service } from './service.ts';

export interface RunOptions extends AbortOptions {
  /** Told of the start, the signal, the stop and what was abandoned. @default lines on standard error */
  readonly logger?: Logger | undefined;
  /** Called once all of them serve. */
  readonly onRunning?: (() => void) | undefined;
}

const checks = new OptionChecks('run');
const optionNames: OptionNames<RunOptions> = { signal: ['abortSignal'], logger: ['log'], onRunning: true };
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof exitCodes;
const stopSignals = Object.keys(exitCodes) as StopSignal[];

/**
 * Runs services until the process is told to end: starts them, waits for SIGTERM or SIGINT, stops them, and sets
 * `process.exitCode`. (Go Micro: `service.Run()`.)
 *
 * Stops as well when `signal` aborts, when one of the services is stopped by anybody else, and when one of them cannot
 * start. A second signal ends the process at once, with 130 or 143. Keeps the process alive meanwhile and leaves no
 * listener behind; what is closed after it is yours.
 *
 * Resolves with the exit code: 0, or 1 where a service did not start or handlers were abandoned. Rejects with `invalid`
 * for what is no service and for an option, and with nothing else.
 */
export async function run(services: Service | readonly Service[], options: RunOptions = {}): Promise<number> {
  const all = (Array.isArray(services) ? services : [services]) as readonly Service[];
  for (const [index, service] of all.entries()) checks.methods(`services[${index}]`, service, 'start', 'stop');
  checks.named(options, optionNames);
  if (options.signal !== undefined) checks.methods('signal', options.signal, 'addEventListener');
  checks.optionalFunction('onRunning', options.onRunning);
  const logger = options.logger === undefined ? linesOnStandardError : safeLogger(options.logger);
  const told = new ToldToStop(logger, options.signal);
  // Neither a signal nor a memory transport keeps a process alive.
  const alive = setInterval(() => {}, longestTimerMs);
  try {
    const hasStarted = await startAll(all, told, logger);
    if (hasStarted) {
      callSafely(
        () => options.onRunning?.(),
        (error) => logger.error('onRunning failed', { error }),
      );
      await Promise.race([told.promise, ...all.map(({ stopped }) => stopped)]);
    }
    const isDone = await stopAll(all, logger);
    const exitCode = (hasStarted || told.isTold) && isDone ? 0 : 1;
    process.exitCode = exitCode;
    return exitCode;
  } finally {
    clearInterval(alive);
    told.end();
  }
}

async function startAll(services: readonly Service[], told: ToldToStop, logger: Logger): Promise<boolean> {
  const names = services.map(({ name }) => name);
  try {
    await Promise.all(services.map((service) => service.start({ signal: told.signal })));
  } catch (error) {
    if (!told.isTold) logger.error('starting failed', { services: names, error });
    return false;
  }
  logger.info('running', { services: names, nodes: services.map(({ node }) => node?.id) });
  return true;
}

/** False where handlers were abandoned. */
async function stopAll(services: readonly Service[], logger: Logger): Promise<boolean> {
  const reports = await Promise.all(services.map((service) => service.stop()));
  const abandoned = reports.flatMap((report) => report.abandoned);
  const fields = { services: services.map(({ name }) => name), abandoned };
  if (abandoned.length > 0) logger.warn('stopped with handlers abandoned', fields);
  else logger.info('stopped', fields);
  return abandoned.length === 0;
}

/** The signals of the process, and that of the caller, while services run. */
class ToldToStop {
  readonly promise: Promise<void>;
  readonly #abort: AbortController = new AbortController();
  readonly #listeners: readonly (readonly [StopSignal, () => void])[];
  readonly #given: AbortSignal | undefined;
  readonly #logger: Logger;
  readonly #onAbort = () => this.#stop('the signal was aborted');

  constructor(logger: Logger, given: AbortSignal | undefined) {
    this.#logger = logger;
    this.#given = given;
    this.promise = new Promise((resolve) => {
      this.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#listeners = stopSignals.map((signal) => [signal, () => this.#onSignal(signal)] as const);
    for (const [signal, listener] of this.#listeners) process.on(signal, listener);
    given?.addEventListener('abort', this.#onAbort, { once: true });
    if (given?.aborted) this.#onAbort();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get isTold(): boolean {
    return this.signal.aborted;
  }

  end(): void {
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
    this.#given?.removeEventListener('abort', this.#onAbort);
  }

  #onSignal(signal: StopSignal): void {
    if (!this.isTold) {
      this.#stop(signal);
      return;
    }
    this.#logger.warn('told again, ending at once', { signal });
    process.exit(exitCodes[signal]);
  }

  #stop(reason: string): void {
    this.#logger.info('stopping', { reason });
    this.#abort.abort(new MicroError('canceled', `run: ${reason}`));
  }
}

function lineOf(level: keyof Logger): (message: string, fields?: LogFields) => void {
  return (message, fields = {}) => {
    const said = Object.entries(fields).map(([name, value]) => `${name}=${textOf(value)}`);
    process.stderr.write(`${[level, message, ...said].join(' ')}\n`);
  };
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(',') || 'none';
  return MicroError.textOf(value);
}

const linesOnStandardError: Logger = safeLogger({
  debug: () => {},
  info: lineOf('info'),
  warn: lineOf('warn'),
  error: lineOf('error'),
});

/** Warnings that say nothing of the backend: what Node calls new or old in the libraries it uses. */
const ignored = new Set(['ExperimentalWarning', 'DeprecationWarning']);

/** What went wrong in this process beside the calls of a case. */
export interface ProcessWatch {
  /** Rejects at the first uncaught exception; never resolves. */
  readonly failed: Promise<never>;
  stop(): void;
  /** Rejects with the first exception, rejection or warning that was noted. */
  assertNone(): Promise<void>;
}

/**
 * Notes exceptions that nobody caught, promises that reject with nobody listening, and warnings, from now until `stop`;
 * meanwhile none of them ends the process.
 */
export function watchProcess(): ProcessWatch {
  let first: Error | undefined;
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {});
  const note = (what: string, thrown: unknown): Error => {
    first ??= new Error(`${what}: ${textOf(thrown)}`, { cause: thrown });
    return first;
  };
  const onRejection = (reason: unknown): void => void note('a promise was rejected with nobody listening', reason);
  const onException = (error: unknown): void => fail(note('an exception was thrown and not caught', error));
  const onWarning = (warning: Error): void => {
    if (!ignored.has(warning.name)) note('the process was warned', warning);
  };
  const off = (): void => {
    process.off('unhandledRejection', onRejection);
    process.off('uncaughtException', onException);
    process.off('warning', onWarning);
  };
  process.on('unhandledRejection', onRejection);
  process.on('uncaughtException', onException);
  process.on('warning', onWarning);
  return {
    failed,
    stop: off,
    async assertNone() {
      // Node tells of a rejection only when all that was ready to run has run.
      await new Promise((resolve) => setImmediate(resolve));
      if (first) throw first;
    },
  };
}

function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return 'a value that cannot be shown';
  }
}

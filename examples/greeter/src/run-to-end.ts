import { MicroError } from '@ts-micro/core';

/**
 * Runs a program until it is done, with a signal that SIGTERM and SIGINT abort. A failure is one line on stderr and
 * exit code 1, never a stack trace.
 */
export async function runToEnd(name: string, program: (stopRequested: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort(new Error(signal)));
  try {
    await program(stop.signal);
  } catch (error) {
    const text = MicroError.is(error) && error.remote ? error.remote.detail : (error as Error).message;
    console.error(`${name}: ${text}`);
    process.exitCode = 1;
  }
}

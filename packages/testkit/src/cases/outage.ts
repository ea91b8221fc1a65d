import { MicroError } from '@ts-micro/core';
import type { InterfaceName } from '../backend.ts';
import type { CaseContext } from '../case-context.ts';

/** Kills the server, does `during`, and starts the server again whatever came of it. */
export async function outage<I extends InterfaceName>(
  context: CaseContext<I>,
  during: () => Promise<void> = async () => {},
): Promise<void> {
  await context.within(context.faults.kill(), 'faults.kill()');
  try {
    await during();
  } finally {
    await context.within(context.faults.restart(), 'faults.restart()');
  }
}

/**
 * Calls until it is refused with `unavailable`. A call made before the outage was noticed may succeed; one that waits
 * beyond its deadline, or fails in another way, breaks the contract.
 */
export async function refusedAsUnavailable<I extends InterfaceName>(
  context: CaseContext<I>,
  what: string,
  call: () => Promise<unknown>,
): Promise<void> {
  await context.until(`${what} refused with unavailable`, async () => {
    const error = await failure(context.within(call(), what));
    if (error === undefined) return false;
    if (MicroError.is(error, 'unavailable')) return true;
    throw error;
  });
}

/** Returns the error that a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<Error | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

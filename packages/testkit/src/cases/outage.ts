import assert from 'node:assert/strict';
import { type AbortOptions, MicroError } from '@ts-micro/core';
import { assertError } from '../assertions.ts';
import type { InterfaceName, Interfaces } from '../backend.ts';
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

/** Follows `isConnected` through an outage, where it is known at all; `use` needs the connection. */
export async function tellsTheTruth<I extends InterfaceName>(
  context: CaseContext<I>,
  instance: { readonly isConnected?: boolean | undefined },
  use: () => Promise<unknown>,
): Promise<void> {
  await use();
  assert.notEqual(instance.isConnected, false, 'isConnected while it works');
  if (instance.isConnected === undefined) return;
  await outage(context, () =>
    context.until('isConnected to be false during an outage', () => instance.isConnected === false),
  );
  await context.eventually('isConnected to be true after the outage', async () => {
    await use();
    assert.equal(instance.isConnected, true, 'isConnected while it works again');
  });
}

/**
 * Makes one call after the other with a deadline, where nobody answers: each ends soon after it, and fails with
 * `timeout` or `unavailable` if it fails. What closes is the last of them, and always resolves.
 */
export async function endByDeadline<I extends InterfaceName>(
  context: CaseContext<I>,
  calls: Readonly<Record<string, (options: AbortOptions) => Promise<unknown>>>,
  close: (options: AbortOptions) => Promise<unknown>,
): Promise<void> {
  const withDeadline = (what: string, call: (options: AbortOptions) => Promise<unknown>): Promise<unknown> =>
    context.within(call({ signal: context.expiring(300) }), `${what} with a deadline`, 5000);
  for (const [what, call] of Object.entries(calls)) {
    const error = await failure(withDeadline(what, call));
    if (error) assertError(error, `${what} with a deadline`, 'timeout', 'unavailable');
  }
  await withDeadline('close', close);
}

const beginners = 4;
const turnsBetween = 2;

/**
 * Opens a few instances and makes the first call of each, one soon after the other, so that a link that is lost now is
 * lost while they connect, each at another point. What becomes of these calls is not told.
 */
export async function beginToConnect<I extends InterfaceName>(
  context: CaseContext<I>,
  call: (instance: Interfaces[I]) => Promise<unknown>,
): Promise<readonly Interfaces[I][]> {
  const instances: Interfaces[I][] = [];
  while (instances.length < beginners) instances.push(await context.open());
  for (const instance of instances) {
    void context.later(call(instance));
    for (let turn = 0; turn < turnsBetween; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  return instances;
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

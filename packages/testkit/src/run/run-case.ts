import type { BackendUnderTest, Harness, InterfaceName, TransportSettings } from '../backend.ts';
import { CaseContext } from '../case-context.ts';
import type { ContractCase, Need } from '../contract-case.ts';
import { isAbsent, type Refusals } from '../needs.ts';
import { randomId } from '../random-id.ts';
import { Trace } from '../trace.ts';
import { within } from '../within.ts';
import type { CaseResult } from './case-result.ts';
import { activeResources, assertSettled } from './leaks.ts';
import { watchRejections } from './rejections.ts';

type Outcome = Pick<CaseResult, 'status' | 'reason'>;

const caseBoundMs = 60_000;
const settleMs = 3_000;

/** The longest a case can take, its fixtures included. */
export function caseLimitMs(backend: {
  readonly timing?: { readonly factor?: number | undefined } | undefined;
}): number {
  return 2 * caseBoundMs * (backend.timing?.factor ?? 1);
}

/** Runs one case in a world of its own, then looks for what it left behind. Never rejects. */
export async function runCase<I extends InterfaceName>(
  contractCase: ContractCase<I>,
  backend: BackendUnderTest<I> & TransportSettings,
  refusals: Refusals<I>,
): Promise<CaseResult> {
  const trace = new Trace();
  const started = performance.now();
  const finish = (outcome: Outcome & Pick<CaseResult, 'details' | 'trace'>): CaseResult => ({
    id: contractCase.id,
    title: contractCase.title,
    subject: contractCase.subject,
    ms: Math.round(performance.now() - started),
    ...outcome,
  });
  const known = backend.knownFailing?.find(({ id }) => id === contractCase.id);
  try {
    const outcome = await attempt(contractCase, backend, refusals, trace);
    if (known === undefined || outcome.status !== 'passed') return finish(outcome);
    return finish({ status: 'failed', reason: `passes, and is listed as known failing: ${known.reason}` });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (known) return finish({ status: 'knownFailing', reason: known.reason });
    const details = error instanceof Error ? error.stack : undefined;
    return finish({ status: 'failed', reason, details, trace: trace.lines() });
  }
}

async function attempt<I extends InterfaceName>(
  contractCase: ContractCase<I>,
  backend: BackendUnderTest<I> & TransportSettings,
  refusals: Refusals<I>,
  trace: Trace,
): Promise<Outcome> {
  const settle = settleMs * (backend.timing?.factor ?? 1);
  const resources = activeResources();
  const rejections = watchRejections();
  try {
    const harness = await openHarness(backend);
    const inHarness = async (): Promise<Outcome> => {
      const counts = await harness.count?.();
      const outcome = await inContext(contractCase, backend, harness, refusals, trace);
      if (counts) await assertSettled('after the case', counts, () => harness.count?.() ?? {}, settle);
      return outcome;
    };
    const dispose = async () => harness[Symbol.asyncDispose]?.();
    const outcome = await withCleanup(inHarness(), () => within(dispose(), 'disposing the harness', caseBoundMs));
    await assertSettled('after the case', resources, activeResources, settle);
    await rejections.assertNone();
    return outcome;
  } finally {
    rejections.stop();
  }
}

async function openHarness<I extends InterfaceName>(backend: BackendUnderTest<I>): Promise<Harness<I>> {
  if (!('create' in backend)) {
    // Its dispose, if it has one, is the author's business: it lives longer than a case.
    return {
      open: () => backend.open(),
      ...(backend.faults && { faults: backend.faults }),
      ...(backend.count && { count: () => backend.count?.() ?? {} }),
    };
  }
  return within(Promise.resolve(backend.create(randomId())), 'creating a harness', caseBoundMs);
}

async function inContext<I extends InterfaceName>(
  contractCase: ContractCase<I>,
  backend: BackendUnderTest<I> & TransportSettings,
  harness: Harness<I>,
  refusals: Refusals<I>,
  trace: Trace,
): Promise<Outcome> {
  const { timing = {} } = backend;
  const context = new CaseContext(contractCase.interface, harness, { timing, settings: backend, trace });
  const bound = caseBoundMs * (timing.factor ?? 1);
  const run = async (): Promise<Outcome> => {
    await context.prepare();
    const needs = contractCase.needs ?? [];
    const absent = needs.find((need) => isAbsent(need, context.supports));
    if (absent !== undefined) {
      await within(refusals[absent as keyof Refusals<I>](context), `the refusal of ${absent}`, bound);
      return { status: 'notSupported', reason: `no ${absent}` };
    }
    const missing = needs.find((need) => isMissing(need, harness));
    if (missing !== undefined) return { status: 'notRun', reason: `no ${missing} given` };
    await within(contractCase.run(context), 'the case', bound);
    return { status: 'passed' };
  };
  return withCleanup(run(), () => context.end());
}

/** True for faults that the author has not given. */
function isMissing<I extends InterfaceName>(need: Need<I>, { faults }: Harness<I>): boolean {
  if (need === 'faults') return faults === undefined;
  return need === 'partition' && faults?.partition === undefined;
}

/**
 * Cleans up whatever came of `work`. Its error is the one to report; what cleaning up says after it is a consequence.
 */
async function withCleanup<T>(work: Promise<T>, cleanUp: () => Promise<void>): Promise<T> {
  let result: T;
  try {
    result = await work;
  } catch (error) {
    await cleanUp().catch(() => {});
    throw error;
  }
  await cleanUp();
  return result;
}

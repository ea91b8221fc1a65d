import type { BackendUnderTest, Harness, InterfaceName, TransportSettings } from './backend.ts';
import { CaseContext } from './case-context.ts';
import type { ContractCase, Need } from './contract-case.ts';
import { activeResources, assertSettled } from './leaks.ts';
import { isAbsent, type Refusals } from './needs.ts';
import { randomId } from './random-id.ts';
import { watchRejections } from './rejections.ts';
import { Trace } from './trace.ts';
import { within } from './within.ts';

/** How one case ended. Plain data, for JSON. */
export interface CaseResult {
  readonly id: string;
  readonly title: string;
  readonly subject: string;
  /**
   * - `passed` the contract is kept
   * - `failed` it is not, or a case listed as known failing passes
   * - `knownFailing` it is not, as its author said
   * - `notSupported` the backend lacks what the case needs, and refuses it as it must
   * - `notRun` the author gave nothing to run it with
   */
  readonly status: 'passed' | 'failed' | 'knownFailing' | 'notSupported' | 'notRun';
  readonly ms: number;
  /** Why it is not `passed`, in one line. */
  readonly reason?: string | undefined;
  /** The error's stack. */
  readonly details?: string | undefined;
  /** What was sent and received until it failed. */
  readonly trace?: readonly string[] | undefined;
}

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
  let outcome: Outcome;
  try {
    const harness = await openHarness(backend);
    try {
      const counts = await harness.count?.();
      outcome = await inContext(contractCase, backend, harness, refusals, trace);
      if (counts && harness.count) await assertSettled('after the case', counts, () => harness.count?.() ?? {}, settle);
    } finally {
      await harness[Symbol.asyncDispose]?.();
    }
    await assertSettled('after the case', resources, activeResources, settle);
  } finally {
    rejections.stop();
  }
  rejections.assertNone();
  return outcome;
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
  let outcome: Outcome;
  try {
    await context.prepare();
    const needs = contractCase.needs ?? [];
    const absent = needs.find((need) => isAbsent(need, context.supports));
    const missing = needs.find((need) => isFault(need) && !hasFault(harness, need));
    if (absent !== undefined) {
      await within(refusals[absent as keyof Refusals<I>](context), `the refusal of ${absent}`, bound);
      outcome = { status: 'notSupported', reason: `no ${absent}` };
    } else if (missing !== undefined) {
      outcome = { status: 'notRun', reason: missing === 'faults' ? 'no faults given' : 'no partition given' };
    } else {
      await within(contractCase.run(context), 'the case', bound);
      outcome = { status: 'passed' };
    }
  } catch (error) {
    // The first error is the one to report; what closing says after it is a consequence.
    await context.end().catch(() => {});
    throw error;
  }
  await context.end();
  return outcome;
}

function isFault(need: string): need is 'faults' | 'partition' {
  return need === 'faults' || need === 'partition';
}

function hasFault<I extends InterfaceName>({ faults }: Harness<I>, need: Need<I> & ('faults' | 'partition')): boolean {
  return need === 'faults' ? faults !== undefined : faults?.partition !== undefined;
}

import type {
  BackendUnderTest,
  CaseSummary,
  Harness,
  InterfaceName,
  Programs,
  Timing,
  TransportSettings,
} from '../backend.ts';
import { CaseContext } from '../case-context.ts';
import type { ContractCase } from '../contract-case.ts';
import { isAbsent, isMissing, type Refusals } from '../needs.ts';
import { randomId } from '../random-id.ts';
import { Trace } from '../trace.ts';
import { within, withinProgress } from '../within.ts';
import type { CaseResult } from './case-result.ts';
import { activeResources, assertSettled } from './leaks.ts';
import { levelOf } from './levels.ts';
import { Patience } from './patience.ts';
import { programSettings } from './program-settings.ts';
import { type ProcessWatch, watchProcess } from './watch-process.ts';
import { watchTimers } from './watch-timers.ts';

type Outcome = Pick<CaseResult, 'status' | 'reason'>;

const caseBoundMs = 60_000;
/** A case in which something still happens may take so many times as long. */
const longestCase = 3;
const quietMs = 10_000;
const settleMs = 3_000;

/** The longest a case can take, its fixtures included. */
export function caseLimitMs(backend: Patient): number {
  return (longestCase + 1) * caseBoundMs * (backend.timing?.factor ?? 1) + programSettings(backend.programs).ms;
}

interface Patient {
  readonly timing?: Timing | undefined;
  readonly programs?: Programs | undefined;
}

/** Runs one case in a world of its own, then looks for what it left behind. Never rejects. */
export async function runCase<I extends InterfaceName>(
  contractCase: ContractCase<I>,
  backend: BackendUnderTest<I> & TransportSettings,
  refusals: Refusals<I>,
  patience: Patience = new Patience(backend.timing),
): Promise<CaseResult> {
  const { shortBecause } = patience;
  const trace = new Trace();
  const started = performance.now();
  const finish = (outcome: Outcome & Pick<CaseResult, 'details' | 'open' | 'trace'>): CaseResult => ({
    id: contractCase.id,
    title: contractCase.title,
    subject: contractCase.subject,
    level: levelOf(contractCase.needs ?? [], backend.cluster),
    ms: Math.round(performance.now() - started),
    ...outcome,
  });
  const known = backend.knownFailing?.find(({ id }) => id === contractCase.id);
  try {
    const outcome = await attempt(contractCase, { ...backend, timing: patience.timing }, refusals, trace);
    if (known === undefined || outcome.status !== 'passed') return finish(outcome);
    return finish({ status: 'failed', reason: `passes, and is listed as known failing: ${known.reason}` });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (known) return finish({ status: 'knownFailing', reason: known.reason });
    patience.note(reason);
    const details = error instanceof Error ? error.stack : undefined;
    const open = /still waiting after/.test(reason) ? trace.openAtFailure : [];
    const words = [reason, ...open.map((call) => `open: ${call}`)];
    if (shortBecause !== undefined) words.push(`waits are a tenth as long since three cases failed: ${shortBecause}`);
    return finish({ status: 'failed', reason: words.join('; '), details, open, trace: trace.lines() });
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
  const watch = watchProcess();
  const timers = watchTimers();
  try {
    const harness = await openHarness(contractCase, backend);
    const inHarness = async (): Promise<Outcome> => {
      const counts = await harness.count?.();
      const outcome = await inContext(contractCase, backend, { harness, refusals, trace, watch });
      if (counts) await assertSettled('after the case', counts, () => harness.count?.() ?? {}, settle);
      return outcome;
    };
    const dispose = async () => harness[Symbol.asyncDispose]?.();
    const outcome = await withCleanup(inHarness(), () => within(dispose(), 'disposing the harness', caseBoundMs));
    // Others of this process may have ended meanwhile, so timers are not only counted.
    const resourcesNow = () => {
      const now = activeResources();
      return { ...now, Timeout: Math.max(now.Timeout ?? 0, (resources.Timeout ?? 0) + timers.count) };
    };
    await assertSettled('after the case', resources, resourcesNow, settle, () => timers.leftOver());
    await watch.assertNone();
    return outcome;
  } finally {
    timers.stop();
    watch.stop();
  }
}

async function openHarness<I extends InterfaceName>(
  { id, title, subject, needs = [] }: ContractCase<I>,
  backend: BackendUnderTest<I>,
): Promise<Harness<I>> {
  if (!('create' in backend)) {
    // Its dispose, if it has one, is the author's business: it lives longer than a case.
    return {
      open: () => backend.open(),
      ...(backend.faults && { faults: backend.faults }),
      ...(backend.loseData && { loseData: () => backend.loseData?.() ?? Promise.resolve() }),
      ...(backend.inject && { inject: (bytes, place) => backend.inject?.(bytes, place) ?? Promise.resolve() }),
      ...(backend.badCredentials && { badCredentials: backend.badCredentials }),
      ...(backend.count && { count: () => backend.count?.() ?? {} }),
    };
  }
  const summary: CaseSummary = { id, title, subject, needs, level: levelOf(needs, backend.cluster) };
  const { factor = 1 } = backend.timing ?? {};
  return within(Promise.resolve(backend.create(randomId(), summary)), 'creating a harness', caseBoundMs * factor);
}

interface CaseWorld<I extends InterfaceName> {
  readonly harness: Harness<I>;
  readonly refusals: Refusals<I>;
  readonly trace: Trace;
  readonly watch: ProcessWatch;
}

async function inContext<I extends InterfaceName>(
  contractCase: ContractCase<I>,
  backend: BackendUnderTest<I> & TransportSettings,
  { harness, refusals, trace, watch }: CaseWorld<I>,
): Promise<Outcome> {
  const { timing = {} } = backend;
  const context = new CaseContext(contractCase.interface, harness, { timing, settings: backend, trace });
  const { factor = 1 } = timing;
  const bound = caseBoundMs * factor + (contractCase.runsPrograms ? context.programs.ms : 0);
  const longestMs = bound + (longestCase - 1) * caseBoundMs * factor;
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
    await withinProgress(Promise.race([contractCase.run(context), watch.failed]), 'the case', {
      ms: bound,
      quietMs: quietMs * factor,
      longestMs,
      lastMs: () => trace.lastMs,
    });
    return { status: 'passed' };
  };
  const running = run().catch((error: unknown) => {
    trace.noteFailure();
    throw error;
  });
  return withCleanup(running, () =>
    context.end().catch((error: unknown) => {
      trace.noteFailure();
      throw error;
    }),
  );
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

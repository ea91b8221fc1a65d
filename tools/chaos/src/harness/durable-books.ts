import type { Findings } from './findings.ts';
import type { Ledger } from './ledger.ts';
import type { StoredEvents } from './stored-events.ts';
import { until } from './until.ts';

/** Waits until all that was stored is handled, and says how the books stand. */
export async function settleBooks(
  findings: Findings,
  events: StoredEvents,
  handled: Ledger,
  limitMs: number,
): Promise<void> {
  await until(() => events.compare(handled.counts()).lost === 0, limitMs, Math.max(200, events.stored.size / 500));
  const { lost, twice } = events.compare(handled.counts());
  findings.must(
    lost === 0 && events.stored.size > 0,
    `${events.stored.size} acknowledged to their publisher, ${lost} lost, ${twice} handled twice`,
  );
  findings.note(`${events.refused.length} not acknowledged (${events.codes})`);
}

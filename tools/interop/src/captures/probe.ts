import type { BareNats } from '../bare-nats.ts';
import type { Generation } from '../generation.ts';
import type { PeerLine } from '../peer-process.ts';

/** What a probe works with. No tap runs, so that NATS can say that nobody listens. */
export interface ProbeContext {
  readonly generation: Generation;
  readonly binary: string;
  readonly nats: string;
  readonly bare: BareNats;
  /** A page of the NATS server's monitoring. */
  readonly monitor: (page: string) => Promise<Record<string, unknown>>;
}

/** A question about a Go peer's behaviour, answered by trying. */
export interface Probe {
  readonly id: string;
  readonly title: string;
  run(context: ProbeContext): Promise<unknown>;
}

/** A call that probes make, of a service called `probe`. */
export const helloCall: PeerLine = { op: 'call', service: 'probe', endpoint: 'Greeter.Hello', body: { name: 'John' } };

/** What a Go client made of a call, with a rough time. */
export function outcomeOf({ ok, body, error, ms }: PeerLine): PeerLine {
  const aboutMs = Math.round(Number(ms) / 100) * 100;
  return ok === true ? { ok, body, aboutMs } : { ok, text: (error as { text?: string }).text, aboutMs };
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Resolves once somebody has subscribed to `subject`: a Go server says that it is ready a moment before. Throws after
 * 10 s.
 */
export async function subscribed({ monitor }: ProbeContext, subject: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 20) {
    const { subscriptions_list: subjects = [] } = await monitor('subsz?subs=1');
    if (JSON.stringify(subjects).includes(`"subject":"${subject}"`)) return;
    await sleep(20);
  }
  throw new Error(`nobody subscribed to ${subject} within 10 s`);
}

import type { BareNats } from '../bare-nats.ts';
import type { Generation } from '../generation.ts';
import type { PeerLine } from '../peer-process.ts';

/** What a probe works with. No tap runs, so that NATS can say that nobody listens. */
export interface ProbeContext {
  readonly generation: Generation;
  readonly binary: string;
  readonly nats: string;
  readonly bare: BareNats;
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

import type { Candidate, SelectorStrategy } from './selector.ts';

/** How fast an old latency is forgotten: after so long it counts for a third. */
const decayMs = 10_000;
/** A node that is late more than once in so long is slow. */
const pauseMs = 1000;
/** The least that a failed attempt counts for, so that a node which fails fast does not look like a fast one. */
const failedMs = 1000;
/**
 * Nodes of nearly the same load are alike: else the one that is a little faster would get all calls made one by one.
 */
const likeness = 1.5;
/** Faster than this is fast enough: such nodes differ in the attempts under way alone. */
const quickMs = 5;
/** How many endpoints of a node are told apart; beyond, all begin anew. */
const mostEndpoints = 1000;

interface Latency {
  ms: number;
  atMs: number;
  /** From one answer alone, the first: it took the time of whatever is made once, too. */
  isCold: boolean;
  /** When the last peak came that may have been a moment's: one in `pauseMs`. */
  peakAtMs: number;
  /** After such a peak, until an attempt that began after it has ended. */
  isInDoubt: boolean;
}

interface Load {
  /** Attempts under way. */
  running: number;
  /** The same by endpoint, of those that have any. */
  readonly runningOf: Map<string, number>;
  /** By endpoint, so that one slow endpoint says nothing about the others. */
  readonly latencies: Map<string, Latency>;
}

/**
 * Chooses the less loaded of two nodes picked at random. The load of a node is the latency of the endpoint there of
 * late, a peak at once and a fall slowly, times the attempts under way at the node. A node that has answered less than
 * twice is tried; so is one that was quick and late for once, as in a pause of its process, before that counts.
 * (Finagle and Linkerd: peak EWMA with two choices.)
 */
export function leastLoad(now: () => number = () => performance.now()): SelectorStrategy {
  const loads = new Map<string, Load>();

  const costOf = ({ node }: Candidate, endpoint: string): number => {
    const load = loads.get(node.address);
    if (load === undefined) return 0;
    const latency = load.latencies.get(endpoint);
    // One that has not answered yet, or only once, or late for once, is tried as a quick one, by one call at a time:
    // whatever else it is busy with, or it might never be.
    if (latency === undefined || latency.isCold || latency.isInDoubt)
      return (load.runningOf.get(endpoint) ?? 0) * failedMs + load.running * quickMs;
    // An idle node's latency falls as well, so that one that was slow is tried again.
    const latencyMs = latency.ms * Math.exp((latency.atMs - now()) / decayMs);
    return Math.max(latencyMs, quickMs) * (load.running + 1);
  };
  const select: SelectorStrategy = (candidates, { endpoint }) => {
    const { length } = candidates;
    const first = Math.floor(Math.random() * length);
    const one = candidates[first] as Candidate;
    if (length === 1) return one;
    const other = candidates[(first + 1 + Math.floor(Math.random() * (length - 1))) % length] as Candidate;
    return costOf(other, endpoint) * likeness < costOf(one, endpoint) ? other : one;
  };
  const observer = {
    began(address: string, endpoint: string): void {
      let load = loads.get(address);
      if (load === undefined) {
        load = { running: 0, runningOf: new Map(), latencies: new Map() };
        loads.set(address, load);
      }
      load.running++;
      load.runningOf.set(endpoint, (load.runningOf.get(endpoint) ?? 0) + 1);
    },
    ended(address: string, endpoint: string, elapsedMs: number, hasSucceeded: boolean): void {
      const load = loads.get(address);
      if (load === undefined) return;
      load.running = Math.max(0, load.running - 1);
      const running = load.runningOf.get(endpoint) ?? 0;
      if (running > 1) load.runningOf.set(endpoint, running - 1);
      else load.runningOf.delete(endpoint);
      note(load.latencies, endpoint, hasSucceeded ? elapsedMs : Math.max(elapsedMs, failedMs), hasSucceeded, now());
    },
    forget(address: string): void {
      loads.delete(address);
    },
  };
  return Object.assign(select, { observer });
}

function note(
  latencies: Map<string, Latency>,
  endpoint: string,
  sampleMs: number,
  hasSucceeded: boolean,
  nowMs: number,
): void {
  const known = latencies.get(endpoint);
  if (known === undefined) {
    if (latencies.size >= mostEndpoints) latencies.clear();
    const never = Number.NEGATIVE_INFINITY;
    latencies.set(endpoint, {
      ms: sampleMs,
      atMs: nowMs,
      isCold: hasSucceeded,
      peakAtMs: never,
      isInDoubt: false,
    });
    return;
  }
  // What began before the peak met the same moment.
  if (known.isInDoubt && hasSucceeded && nowMs - sampleMs < known.peakAtMs) return;
  const isNew = known.isCold || known.isInDoubt;
  const isPeak = hasSucceeded && sampleMs > Math.max(known.ms, quickMs) * likeness;
  known.isInDoubt = isPeak && !isNew && nowMs - known.peakAtMs > pauseMs;
  if (known.isInDoubt) known.peakAtMs = nowMs;
  const weight = isNew || sampleMs > known.ms ? 0 : Math.exp((known.atMs - nowMs) / decayMs);
  known.ms = known.ms * weight + sampleMs * (1 - weight);
  known.atMs = nowMs;
  known.isCold = false;
}

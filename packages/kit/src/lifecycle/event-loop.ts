// The import, unlike the global, is real even where a test fakes timers.
import { setImmediate } from 'node:timers';
import { Fifo } from '../collections/fifo.ts';

/** The time in milliseconds that queued work may keep the event loop before everything else gets its turn. */
const turnMs = 5;

/** The most of it where everything else takes long, too. */
const longestTurnMs = 50;

let turnBeganAt = 0;
let budgetMs = turnMs;
let isMeasuring = false;
let nextTurn: Promise<void> | undefined;

/**
 * True once the work of this turn of the event loop has taken more than a few milliseconds: a loop over queued work
 * then awaits {@link nextTurnOfLoop}, so that timers, heartbeats and sockets are served. Queued work gets as much
 * time as everything else took in the turn before, as it would starve on a busy machine otherwise. One measure for
 * the whole process. `now` is `performance.now()`, where it is known.
 */
export function isTurnOver(now: number = performance.now()): boolean {
  if (isMeasuring) return now - turnBeganAt > budgetMs;
  isMeasuring = true;
  turnBeganAt = now;
  setImmediate(endTurn);
  return false;
}

/** Resolves in the next turn of the event loop, once what was ready before has been served. */
export function nextTurnOfLoop(): Promise<void> {
  nextTurn ??= new Promise((resolve) => {
    const askedAt = performance.now();
    setImmediate(() => {
      nextTurn = undefined;
      isMeasuring = false;
      budgetMs = Math.min(longestTurnMs, Math.max(turnMs, performance.now() - askedAt));
      resolve();
    });
  });
  return nextTurn;
}

/** How many go on before the clock is read again. */
const inOnePiece = 16;

const waiting = new Fifo<() => void>();
let isLettingIn = false;

/**
 * Resolves for one after another of those that wait, in their order, as many in a turn of the event loop as its time
 * allows: for work that many begin on their own, which {@link nextTurnOfLoop} would let go on all at once.
 */
export function ownTurnOfLoop(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (!isLettingIn) void letIn();
  });
}

async function letIn(): Promise<void> {
  isLettingIn = true;
  while (waiting.size > 0) {
    if (isTurnOver()) await nextTurnOfLoop();
    // A few together, so that what they write leaves in one piece.
    for (let count = 0; count < inOnePiece; count++) waiting.take()?.();
    // What they do comes before the next look at the clock.
    await undefined;
  }
  isLettingIn = false;
}

function endTurn(): void {
  isMeasuring = false;
  budgetMs = turnMs;
}

type AnyTimer = NodeJS.Timeout & { readonly _destroyed?: boolean };

const mostPlaces = 5;

interface Made {
  readonly timer: AnyTimer;
  readonly call: string;
  /** Its stack is the place; to read it costs more than to make it. */
  readonly place: Error;
}

/** Notes where timers are made, from now until `stop`, so that one left over can be found in the code. */
export function watchTimers(): { stop(): void; readonly count: number; leftOver(): readonly string[] } {
  const made = new Set<Made>();
  const sound = { setTimeout: globalThis.setTimeout, setInterval: globalThis.setInterval };
  const watched = (name: 'setTimeout' | 'setInterval') => {
    const make = sound[name] as (callback: unknown, ms?: number, ...rest: unknown[]) => AnyTimer;
    const watching = (callback: unknown, ms?: number, ...rest: unknown[]): AnyTimer => {
      const timer = make(callback, ms, ...rest);
      made.add({ timer, call: `${name} of ${ms ?? 0} ms`, place: new Error() });
      if (made.size > 1000) forgetEnded(made);
      return timer;
    };
    // What `util.promisify` looks for.
    Object.defineProperties(watching, Object.getOwnPropertyDescriptors(make));
    return watching;
  };
  const holding = () => {
    forgetEnded(made);
    return [...made].filter(({ timer }) => timer.hasRef());
  };
  globalThis.setTimeout = watched('setTimeout') as typeof globalThis.setTimeout;
  globalThis.setInterval = watched('setInterval') as typeof globalThis.setInterval;
  return {
    stop() {
      Object.assign(globalThis, sound);
      made.clear();
    },
    get count() {
      return holding().length;
    },
    leftOver() {
      return grouped(holding());
    },
  };
}

/** Each place once, as one of them may have made a thousand; the first few. */
function grouped(timers: readonly Made[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { call, place } of timers) {
    const where = `${call}, made ${placeOf(place)}`;
    counts.set(where, (counts.get(where) ?? 0) + 1);
  }
  const lines = Array.from(counts, ([where, count]) => (count === 1 ? where : `${count} times ${where}`));
  return lines.length <= mostPlaces
    ? lines
    : [...lines.slice(0, mostPlaces), `${lines.length - mostPlaces} more places`];
}

function forgetEnded(made: Set<Made>): void {
  for (const each of made) if (each.timer._destroyed === true) made.delete(each);
}

/** The line of code that called the timer's function. */
function placeOf({ stack = '' }: Error): string {
  const lines = stack
    .split('\n')
    .slice(2)
    .map((line) => line.trim());
  return lines.find((line) => !line.includes('node:internal')) ?? 'at a place that the kit cannot see';
}

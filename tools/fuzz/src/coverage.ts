import { type Profiler, Session } from 'node:inspector';

interface Script {
  /** 1 for each offset of the source that ran. */
  covered: Uint8Array;
}

/** What code of the packages has run, by V8's own block coverage. It needs no build and no instrumentation. */
export class Coverage {
  readonly #session = new Session();
  readonly #scripts = new Map<string, Script>();
  #before: readonly (readonly [string, Uint8Array])[] = [];

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** How many offsets of the sources have run. */
  get size(): number {
    let size = 0;
    for (const { covered } of this.#scripts.values()) for (const offset of covered) size += offset;
    return size;
  }

  /** Takes what ran since the last call. Returns whether some of it never ran before. */
  grew(): boolean {
    this.#before = [...this.#scripts].map(([id, { covered }]) => [id, covered.slice()]);
    let isGrown = false;
    // Within one thread the answer comes before `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error) throw error;
      for (const script of result) if (isOurs(script.url) && this.#add(script)) isGrown = true;
    });
    return isGrown;
  }

  /** Undoes the last {@link grew}. */
  forgetLast(): void {
    this.#scripts.clear();
    for (const [id, covered] of this.#before) this.#scripts.set(id, { covered });
  }

  stop(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  #add({ scriptId, functions }: Profiler.ScriptCoverage): boolean {
    const length = Math.max(0, ...functions.flatMap(({ ranges }) => ranges.map(({ endOffset }) => endOffset)));
    const script = this.#scripts.get(scriptId) ?? { covered: new Uint8Array(length) };
    this.#scripts.set(scriptId, script);
    if (script.covered.length < length) {
      const longer = new Uint8Array(length);
      longer.set(script.covered);
      script.covered = longer;
    }
    let isGrown = false;
    for (const { ranges } of functions) {
      const [outer] = ranges;
      if (outer === undefined || outer.count === 0) continue;
      // From outside to inside: what an inner block says counts more.
      const ran = new Uint8Array(outer.endOffset - outer.startOffset);
      for (const { startOffset, endOffset, count } of ranges)
        ran.fill(count > 0 ? 1 : 0, startOffset - outer.startOffset, endOffset - outer.startOffset);
      for (let offset = 0; offset < ran.length; offset++) {
        if (ran[offset] === 0 || script.covered[outer.startOffset + offset] === 1) continue;
        script.covered[outer.startOffset + offset] = 1;
        isGrown = true;
      }
    }
    return isGrown;
  }
}

function isOurs(url: string): boolean {
  return url.includes('/packages/') && url.includes('/src/') && !url.includes('node_modules');
}

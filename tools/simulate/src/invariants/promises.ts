import { MicroError } from '@ts-micro/core';
import type { SimulatedProcess } from '../harness/simulated-process.ts';
import type { World } from '../harness/world.ts';

/** What a promise came to. */
export type Outcome<T> = { readonly value: T } | { readonly error: MicroError };

/** Every promise that a user holds settles by its bound, rejections with a {@link MicroError}. */
export class Promises {
  readonly #world: World;
  /** How many have not settled, of processes that live. */
  readonly #open = new Map<symbol, { readonly what: string; readonly owner: SimulatedProcess }>();

  constructor(world: World) {
    this.#world = world;
  }

  get open(): readonly string[] {
    return [...this.#open.values()].filter(({ owner }) => !owner.machine.isDead).map(({ what }) => what);
  }

  /** Holds a promise that is to settle within `boundMs`, plus what its process was kept from running. */
  async hold<T>(owner: SimulatedProcess, what: string, boundMs: number, promise: Promise<T>): Promise<Outcome<T>> {
    const key = Symbol(what);
    const { clock } = this.#world;
    const byMs = clock.nowMs + boundMs;
    this.#open.set(key, { what, owner });
    const check = () => {
      if (!this.#open.has(key) || owner.machine.isDead) return;
      const lateMs = owner.machine.blockedUntilMs - clock.nowMs;
      if (lateMs >= 0) clock.schedule(lateMs + 50, check, 'harness', 'world');
      else this.#world.broken(`${what} did not settle by ${byMs.toFixed(0)} ms, its bound of ${boundMs} ms`);
    };
    const bound = clock.schedule(boundMs, check, 'harness', 'world');
    try {
      return { value: await promise };
    } catch (error) {
      if (MicroError.is(error)) return { error };
      this.#world.broken(`${what} rejected with what is no MicroError: ${String(error)}`);
      return { error: new MicroError('internal', String(error)) };
    } finally {
      this.#open.delete(key);
      clock.cancel(bound);
    }
  }
}

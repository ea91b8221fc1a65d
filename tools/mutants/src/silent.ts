import { never } from './never.ts';
import type { World } from './world.ts';

/** The method until a link is lost without a word, and one that never settles from then on. */
export function silent<A extends unknown[], R>(
  world: World,
  method: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  return (...args) => (world.halfOpens > 0 ? never() : method(...args));
}

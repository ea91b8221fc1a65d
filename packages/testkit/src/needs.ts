import type { Harness, InterfaceName, Interfaces } from './backend.ts';
import type { CaseContext } from './case-context.ts';
import type { Hook, Need } from './contract-case.ts';

/** Above this the kit does not try to exceed a backend's limit. */
export const largestBodyBytes: number = 16 * 1024 * 1024;

/** For each feature, what a backend without it does instead: it refuses by name, or lets a wait run to its deadline. */
export type Refusals<I extends InterfaceName> = {
  readonly [N in Exclude<Need<I>, Hook>]: (context: CaseContext<I>) => Promise<void>;
};

const hooks: readonly string[] = [
  'faults',
  'partition',
  'halfOpen',
  'loseData',
  'inject',
  'badCredentials',
] satisfies Hook[];

/** True for what a backend's author gives, and the backend itself cannot have. */
function isHook(need: string): need is Hook {
  return hooks.includes(need);
}

/** True where the author of a harness has not given this. */
export function isMissing<I extends InterfaceName>(need: Need<I>, harness: Harness<I>): boolean {
  if (!isHook(need)) return false;
  if (need === 'partition' || need === 'halfOpen') return harness.faults?.[need] === undefined;
  return harness[need] === undefined;
}

/** True where the backend says that it lacks this; hooks are not its to have. */
export function isAbsent<I extends InterfaceName>(need: Need<I>, supports: Interfaces[I]['supports']): boolean {
  if (isHook(need)) return false;
  const features = supports as unknown as Readonly<Record<string, unknown>>;
  if (need === 'bodyLimit') return Number(features.maxBodyBytes) > largestBodyBytes;
  return features[need] !== true;
}

import type { InterfaceName, Interfaces } from './backend.ts';
import type { CaseContext } from './case-context.ts';
import type { Need } from './contract-case.ts';

/** Above this the kit does not try to exceed a backend's limit. */
export const largestBodyBytes: number = 16 * 1024 * 1024;

/** For each feature, what a backend without it does instead: it refuses by name, or lets a wait run to its deadline. */
export type Refusals<I extends InterfaceName> = {
  readonly [N in Exclude<Need<I>, 'faults' | 'partition'>]: (context: CaseContext<I>) => Promise<void>;
};

/** True where the backend says that it lacks this; faults are not its to have. */
export function isAbsent<I extends InterfaceName>(need: Need<I>, supports: Interfaces[I]['supports']): boolean {
  if (need === 'faults' || need === 'partition') return false;
  const features = supports as unknown as Readonly<Record<string, unknown>>;
  if (need === 'bodyLimit') return Number(features.maxBodyBytes) > largestBodyBytes;
  return features[need] !== true;
}

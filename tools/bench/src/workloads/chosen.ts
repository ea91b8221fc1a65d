import { type ContenderName, contenders } from '../contenders/contenders.ts';
import type { Settings } from '../harness/settings.ts';

/** Those of a workload's contenders that are asked for. */
export function chosen(names: readonly ContenderName[], settings: Settings): readonly ContenderName[] {
  return settings.contenders.length === 0 ? names : names.filter((name) => settings.contenders.includes(name));
}

/** A line for each contender that has no row, and why. */
export function leftOut(failures: ReadonlyMap<ContenderName, string>): readonly string[] {
  return [...failures].map(([name, why]) => `${contenders[name].title} is not measured: ${why}`);
}

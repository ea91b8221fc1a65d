import type { InterfaceName, Interfaces } from '@ts-micro/testkit';
import type { World } from './world.ts';

/** A backend broken on purpose, in one way. */
export interface Mutant<I extends InterfaceName = InterfaceName> {
  /** Short, and its own within the interface. */
  readonly name: string;
  readonly interface: I;
  /** What goes wrong, in one sentence. */
  readonly breaks: string;
  /** The ids of the cases that must catch it: those whose line it breaks. Others may catch it too. */
  readonly caughtBy: readonly string[];
  /** Called once for each case. What it returns breaks each instance opened in that case. */
  make(world: World): (sound: Interfaces[I]) => Interfaces[I];
}

export type AnyMutant = { readonly [I in InterfaceName]: Mutant<I> }[InterfaceName];

/** Completes the mutants of one interface; their `caughtBy` leaves out the interface. */
export function mutantsOf<I extends InterfaceName>(
  interfaceName: I,
  mutants: readonly Omit<Mutant<I>, 'interface'>[],
): readonly Mutant<I>[] {
  return mutants.map((mutant) => ({
    ...mutant,
    interface: interfaceName,
    caughtBy: mutant.caughtBy.map((slug) => `${interfaceName}/${slug}`),
  }));
}

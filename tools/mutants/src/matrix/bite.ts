import {
  brokerContract,
  type CaseResult,
  type Contract,
  type Harness,
  type InterfaceName,
  registryContract,
  transportContract,
} from '@ts-micro/testkit';
import type { AnyMutant, Mutant } from '../mutant.ts';
import { World } from '../world.ts';

/** Whether one case catches one mutant. */
export interface Bite {
  readonly isCaught: boolean;
  /** What the case says of the mutant; or why it says nothing of use. */
  readonly reason: string;
}

/** How long the kit waits, as factors: short waits first, and longer ones where this machine is too busy for them. */
export type Pace = readonly number[];

/** Quick, for tests: on a busy machine a catch may be chance. */
export const hasty: Pace = [0.01, 0.05, 0.25, 1];

/** For a matrix to print. */
export const calm: Pace = [0.05, 0.25, 1];

/** A mutant that random programs are to catch is caught by one of the first of them, on a busy machine as well. */
const mostPrograms = 40;

/**
 * Runs one case over a mutant. That it fails counts only where the sound backend passes at the same pace; that it
 * passes, where the case was made to catch it, only at every pace.
 */
export async function bite(mutant: AnyMutant, id: string, pace: Pace): Promise<Bite> {
  let reason = '';
  for (const factor of pace) {
    const result = await run(mutant, id, { factor, isSound: false });
    if (result.status !== 'failed') {
      reason = `${result.status} ${result.reason ?? ''}`.trim();
      if (mutant.caughtBy.includes(id)) continue;
      break;
    }
    const control = await run(mutant, id, { factor, isSound: true });
    if (control.status === 'passed') return { isCaught: true, reason: result.reason ?? '' };
    reason = `the sound backend fails as well: ${control.reason}`;
  }
  return { isCaught: false, reason };
}

interface Manner {
  readonly factor: number;
  /** Leave out what breaks the mutant. */
  readonly isSound: boolean;
}

async function run(mutant: AnyMutant, id: string, manner: Manner): Promise<CaseResult> {
  const worlds: World[] = [];
  const boundCase = contractOf(mutant, manner, worlds).cases.find((each) => each.id === id);
  if (boundCase === undefined) throw new Error(`${mutant.interface} mutant "${mutant.name}": there is no case ${id}`);
  try {
    return await boundCase.run();
  } finally {
    await Promise.all(worlds.map((world) => world.end()));
  }
}

function contractOf(mutant: AnyMutant, { factor, isSound }: Manner, worlds: World[]): Contract {
  const backend = { name: mutant.name, timing: { factor }, programs: { count: mostPrograms, ms: 60_000 } };
  const create = <I extends InterfaceName>({ interface: interfaceName, make }: Mutant<I>): Harness<I> => {
    const world = new World();
    worlds.push(world);
    return world.harness(interfaceName, isSound ? (sound) => sound : make(world));
  };
  switch (mutant.interface) {
    case 'transport':
      return transportContract({ ...backend, create: () => create(mutant) });
    case 'broker':
      return brokerContract({ ...backend, create: () => create(mutant) });
    case 'registry':
      return registryContract({ ...backend, create: () => create(mutant) });
  }
}

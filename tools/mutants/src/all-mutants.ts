import { brokerMutants } from './broker/index.ts';
import type { AnyMutant } from './mutant.ts';
import { registryMutants } from './registry/index.ts';
import { transportMutants } from './transport/index.ts';

export const allMutants: readonly AnyMutant[] = [...transportMutants, ...brokerMutants, ...registryMutants];

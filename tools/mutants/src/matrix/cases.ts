import {
  brokerContract,
  type Contract,
  type InterfaceName,
  registryContract,
  transportContract,
} from '@ts-micro/testkit';

/** One line of a contract and the id of its case. */
export interface CaseLine {
  readonly id: string;
  /** `Socket: an aborted receive loses no message`. */
  readonly line: string;
  readonly interface: InterfaceName;
}

/** Every case of the kit. */
export const allCases: readonly CaseLine[] = [
  linesOf(transportContract({ name: 'none', open: nothing })),
  linesOf(brokerContract({ name: 'none', open: nothing })),
  linesOf(registryContract({ name: 'none', open: nothing })),
].flat();

function linesOf({ interface: interfaceName, cases }: Contract): readonly CaseLine[] {
  return cases.map(({ id, subject, title }) => ({ id, line: `${subject}: ${title}`, interface: interfaceName }));
}

function nothing(): never {
  throw new Error('these cases are only listed');
}

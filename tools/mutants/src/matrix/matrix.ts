import type { InterfaceName } from '@ts-micro/testkit';
import type { AnyMutant } from '../mutant.ts';
import { bite, calm } from './bite.ts';
import { allCases } from './cases.ts';

/** One mutant and what became of it. Plain data. */
export interface Row {
  readonly interface: InterfaceName;
  readonly name: string;
  readonly breaks: string;
  /** The cases that must catch it. */
  readonly madeFor: readonly string[];
  /** The cases that caught it. */
  readonly caughtBy: readonly string[];
}

/** One case and what it caught. Plain data. */
interface Column {
  readonly id: string;
  readonly line: string;
  readonly interface: InterfaceName;
  readonly caught: readonly string[];
}

/** Mutants against cases, and what is wrong with the kit where anything is. Plain data, for JSON. */
export interface Matrix {
  readonly rows: readonly Row[];
  readonly columns: readonly Column[];
  /** Mutants that no case caught. */
  readonly slipped: readonly string[];
  /** A mutant, and a case made to catch it that did not. */
  readonly missed: readonly { readonly mutant: string; readonly case: string }[];
  /** Cases that caught nothing. */
  readonly toothless: readonly string[];
}

/** Runs one mutant against every case of its interface; `onCase` hears of each before it runs. */
export async function runRow(mutant: AnyMutant, onCase: (id: string) => void): Promise<Row> {
  const { interface: interfaceName, name, breaks, caughtBy: madeFor } = mutant;
  const caughtBy: string[] = [];
  for (const { id, interface: of } of allCases) {
    if (of !== interfaceName) continue;
    onCase(id);
    if ((await bite(mutant, id, calm)).isCaught) caughtBy.push(id);
  }
  return { interface: interfaceName, name, breaks, madeFor, caughtBy };
}

/** Puts rows together. A case is judged only where every one of these mutants of its interface was run. */
export function matrixOf(rows: readonly Row[], mutants: readonly AnyMutant[]): Matrix {
  const isComplete = (interfaceName: InterfaceName) => {
    const all = mutants.filter((mutant) => mutant.interface === interfaceName);
    return all.length > 0 && all.every((mutant) => rows.some((row) => titleOf(row) === titleOf(mutant)));
  };
  const columns = allCases
    .filter(({ interface: of }) => isComplete(of))
    .map((line) => ({ ...line, caught: rows.filter(({ caughtBy }) => caughtBy.includes(line.id)).map(titleOf) }));
  return {
    rows,
    columns,
    slipped: rows.filter(({ caughtBy }) => caughtBy.length === 0).map(titleOf),
    missed: rows.flatMap((row) =>
      row.madeFor.filter((id) => !row.caughtBy.includes(id)).map((id) => ({ mutant: titleOf(row), case: id })),
    ),
    toothless: columns.filter(({ caught }) => caught.length === 0).map(({ id }) => id),
  };
}

/** `broker: ignores the queue`. */
export function titleOf({ interface: interfaceName, name }: Pick<Row, 'interface' | 'name'>): string {
  return `${interfaceName}: ${name}`;
}

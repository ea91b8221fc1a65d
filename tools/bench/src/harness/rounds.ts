import { reasonOf } from './reason.ts';
import { type Summary, summarise } from './report/statistics.ts';

/** What was measured, round by round. */
export class Rounds<Name extends string, Measurement> {
  readonly #measurements: ReadonlyMap<Name, Measurement[]>;
  /** Why a contender was left out, or dropped out. */
  readonly failures: Map<Name, string> = new Map();

  constructor(names: readonly Name[]) {
    this.#measurements = new Map(names.map((name) => [name, []]));
  }

  /** Those that were measured in every round. */
  get names(): Name[] {
    return [...this.#measurements.keys()].filter((name) => !this.failures.has(name));
  }

  add(name: Name, measurement: Measurement): void {
    this.#measurements.get(name)?.push(measurement);
  }

  fail(name: Name, error: unknown): void {
    this.failures.set(name, reasonOf(error));
  }

  /** A figure over all rounds; `undefined` where there is none. */
  summary(name: Name, figure: (measurement: Measurement) => number | undefined): Summary | undefined {
    return summaryOf(this.#of(name).map(figure));
  }

  /** A figure of one as a multiple of the same figure of another in the same round. */
  ratio(of: Name, to: Name, figure: (measurement: Measurement) => number | undefined): Summary | undefined {
    const others = this.#of(to);
    const ratios = this.#of(of).map((measurement, round) => {
      const other = others[round];
      const value = figure(measurement);
      const base = other && figure(other);
      return value === undefined || !base ? undefined : value / base;
    });
    return summaryOf(ratios);
  }

  #of(name: Name): readonly Measurement[] {
    return this.failures.has(name) ? [] : (this.#measurements.get(name) ?? []);
  }
}

export interface RoundsPlan<Name extends string, Measurement> {
  readonly names: readonly Name[];
  readonly rounds: number;
  /** Before the first round. */
  readonly prepare?: (name: Name) => Promise<unknown>;
  readonly measure: (name: Name) => Promise<Measurement>;
  readonly onRound: (round: number) => void;
}

/**
 * Measures all contenders once in every round, each round in another random order, so that whatever drifts on the
 * machine meets them all alike. One that fails drops out with its reason, and the others go on.
 */
export async function runRounds<Name extends string, Measurement>({
  names,
  rounds,
  prepare,
  measure,
  onRound,
}: RoundsPlan<Name, Measurement>): Promise<Rounds<Name, Measurement>> {
  const result = new Rounds<Name, Measurement>(names);
  for (const name of names) await prepare?.(name).catch((error) => result.fail(name, error));
  for (let round = 1; round <= rounds; round++) {
    onRound(round);
    for (const name of shuffled(names)) {
      if (result.failures.has(name)) continue;
      try {
        result.add(name, await measure(name));
      } catch (error) {
        result.fail(name, error);
      }
    }
  }
  return result;
}

function summaryOf(values: readonly (number | undefined)[]): Summary | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : summarise(known);
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  const result = [...items];
  for (let index = result.length - 1; index > 0; index--) {
    const other = Math.floor(Math.random() * (index + 1));
    [result[index], result[other]] = [result[other] as Item, result[index] as Item];
  }
  return result;
}

import type { InterfaceName, Interfaces } from './backend.ts';
import type { CaseContext } from './case-context.ts';

/** The kinds of object that have a contract in core's doc comments. */
export type Subject = 'Transport' | 'Listener' | 'Socket' | 'Broker' | 'Subscriber' | 'Registry' | 'Watcher';

/** How a broker writes events is no feature to need. */
type FeatureName<F> = Exclude<
  { [K in keyof F]-?: NonNullable<F[K]> extends boolean ? K : never }[keyof F] & string,
  'plainEvents'
>;

type LimitName<F> = F extends { readonly maxBodyBytes: number } ? 'bodyLimit' : never;

/** The need of a case: a feature the backend says it `supports`, a limit to exceed, or a hook from its author. */
export type Need<I extends InterfaceName> =
  | FeatureName<Interfaces[I]['supports']>
  | LimitName<Interfaces[I]['supports']>
  | Hook;

/** What only a backend's author can give a case. */
export type Hook = 'faults' | 'partition' | 'halfOpen' | 'loseData' | 'inject' | 'badCredentials';

/** One line of a contract as a test. */
export interface ContractCase<I extends InterfaceName = InterfaceName> {
  /** Stable: `transport/reply-unchanged`. */
  readonly id: string;
  /** The contract's line, word for word. */
  readonly title: string;
  readonly interface: I;
  /** The interface in whose doc comment the line stands, or to which a line of `Closable` is applied. */
  readonly subject: Subject;
  readonly needs?: readonly Need<I>[] | undefined;
  /** It runs random programs, for as long as those are given on top of the usual bound. */
  readonly runsPrograms?: boolean | undefined;
  /** Rejects when the backend breaks the contract. */
  run(context: CaseContext<I>): Promise<void>;
}

/** Completes cases of one subject. */
export function casesOf<I extends InterfaceName>(
  interfaceName: I,
  subject: Subject,
  cases: readonly Omit<ContractCase<I>, 'interface' | 'subject'>[],
): readonly ContractCase<I>[] {
  return cases.map((contractCase) => ({ ...contractCase, interface: interfaceName, subject }));
}

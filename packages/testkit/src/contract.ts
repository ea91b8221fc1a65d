import type {
  BackendUnderTest,
  BrokerUnderTest,
  CaseSummary,
  InterfaceName,
  RegistryUnderTest,
  TransportSettings,
  TransportUnderTest,
} from './backend.ts';
import { brokerCases } from './cases/broker/index.ts';
import { brokerRefusals } from './cases/broker/refusals.ts';
import { registryCases } from './cases/registry/index.ts';
import { registryRefusals } from './cases/registry/refusals.ts';
import { transportCases } from './cases/transport/index.ts';
import { transportRefusals } from './cases/transport/refusals.ts';
import type { ContractCase } from './contract-case.ts';
import type { Refusals } from './needs.ts';
import type { CaseResult } from './run/case-result.ts';
import { ContractError } from './run/contract-error.ts';
import { levelOf } from './run/levels.ts';
import { Patience } from './run/patience.ts';
import { caseLimitMs, runCase } from './run/run-case.ts';

/**
 * A case bound to a backend, for any test runner: `test(bound.title, (t) => bound.verify((reason) => t.skip(reason)))`.
 */
export interface BoundCase extends CaseSummary {
  /** How long it can take at most. */
  readonly limitMs: number;
  /** Runs it and tells how it ended; never rejects. */
  run(): Promise<CaseResult>;
  /**
   * Runs it; rejects with a {@link ContractError} where it failed. Where there is nothing to run it with, `skip` is
   * called with the reason, so that the runner says so.
   */
  verify(skip?: (reason: string) => void): Promise<void>;
}

/** The contract of one interface, bound to a backend. */
export interface Contract {
  /** `redis: broker contract`. */
  readonly name: string;
  readonly interface: InterfaceName;
  readonly cases: readonly BoundCase[];
  /** Those that `only` leaves out. */
  readonly leftOut: readonly CaseSummary[];
}

/** The contract of `Transport`, `Listener` and `Socket`. */
export function transportContract(backend: TransportUnderTest): Contract {
  return bind('transport', backend, transportCases, transportRefusals);
}

/** The contract of `Broker` and `Subscriber`. */
export function brokerContract(backend: BrokerUnderTest): Contract {
  return bind('broker', backend, brokerCases, brokerRefusals);
}

/** The contract of `Registry` and `Watcher`. */
export function registryContract(backend: RegistryUnderTest): Contract {
  return bind('registry', backend, registryCases, registryRefusals);
}

function bind<I extends InterfaceName>(
  interfaceName: I,
  backend: BackendUnderTest<I> & TransportSettings,
  cases: readonly ContractCase<I>[],
  refusals: Refusals<I>,
): Contract {
  const name = `${backend.name}: ${interfaceName} contract`;
  // A misspelt one would else fail every case, and none would say why.
  const way: unknown = 'create' in backend ? backend.create : backend.open;
  if (typeof way !== 'function') throw new Error(`${name}: give it \`open\`, or \`create\`, as a function`);
  for (const { id } of backend.knownFailing ?? []) {
    if (!cases.some((contractCase) => contractCase.id === id))
      throw new Error(`${name}: knownFailing names "${id}", which is no case of this contract`);
  }
  const summaryOf = ({ id, title, subject, needs = [] }: ContractCase<I>): CaseSummary => {
    return { id, title, subject, needs, level: levelOf(needs, backend.cluster) };
  };
  const chosen = cases.filter((contractCase) => backend.only?.(summaryOf(contractCase)) ?? true);
  if (chosen.length === 0) throw new Error(`${name}: only leaves no case`);
  const patience = new Patience(backend.timing);
  return {
    name: chosen.length < cases.length ? `${name}, in part` : name,
    interface: interfaceName,
    leftOut: cases.filter((contractCase) => !chosen.includes(contractCase)).map(summaryOf),
    cases: chosen.map((contractCase) => {
      const run = () => runCase(contractCase, backend, refusals, patience);
      return {
        ...summaryOf(contractCase),
        limitMs: caseLimitMs(backend),
        run,
        async verify(skip) {
          const result = await run();
          if (result.status === 'failed') throw new ContractError(name, result);
          if (result.status === 'notRun') skip?.(result.reason ?? '');
        },
      };
    }),
  };
}

import type { Broker, BrokerFeatures } from '@ts-micro/core';
import { Lifetime } from '@ts-micro/kit';
import type { BackendUnderTest } from '../src/backend.ts';
import type { ContractCase } from '../src/contract-case.ts';
import type { Refusals } from '../src/needs.ts';
import type { CaseResult } from '../src/run/case-result.ts';
import { runCase } from '../src/run/run-case.ts';

/** A broker that can only be opened and closed: what the kit does with a case does not depend on more. */
export function thing(features: Partial<BrokerFeatures> = {}, release: () => unknown = () => {}): Broker {
  const lifetime = new Lifetime('thing', release);
  const supports = { queues: true, wildcards: false, maxBodyBytes: 1000, ...features };
  const broker = {
    name: 'thing',
    address: '',
    options: { addresses: [] },
    supports,
    get closed() {
      return lifetime.closed;
    },
    close: () => lifetime.close(),
    [Symbol.asyncDispose]: () => lifetime.close(),
    publish: async (topic: string) => lifetime.assertOpen() ?? topic,
  };
  return broker as unknown as Broker;
}

const refusals: Refusals<'broker'> = {
  async queues() {},
  async durableQueues() {},
  async redelivery() {},
  async wildcards() {},
  async bodyLimit() {},
};

/** Runs a case made up for a test. */
export function runThing(
  run: ContractCase<'broker'>['run'],
  {
    backend = { name: 'thing', open: () => thing() },
    ...rest
  }: {
    readonly needs?: ContractCase<'broker'>['needs'];
    readonly backend?: BackendUnderTest<'broker'>;
    readonly refusals?: Partial<Refusals<'broker'>>;
  } = {},
): Promise<CaseResult> {
  const contractCase: ContractCase<'broker'> = {
    id: 'broker/made-up',
    title: 'a case made up',
    interface: 'broker',
    subject: 'Broker',
    needs: rest.needs,
    run,
  };
  return runCase(contractCase, backend, { ...refusals, ...rest.refusals });
}

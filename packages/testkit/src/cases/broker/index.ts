import type { ContractCase } from '../../contract-case.ts';
import { durableQueues } from '../durable/durable-queues.ts';
import { redelivery } from '../durable/redelivery.ts';
import { hostileToBrokers } from '../hostile/broker.ts';
import { brokerPrograms } from '../programs/broker-program.ts';
import { content } from './content.ts';
import { delivery } from './delivery.ts';
import { joining } from './joining.ts';
import { leaving } from './leaving.ts';
import { lifecycle } from './lifecycle.ts';
import { outages } from './outage.ts';
import { outageTruths } from './outage-truth.ts';
import { queues } from './queues.ts';
import { subscriber } from './subscriber.ts';
import { traits } from './traits.ts';
import { wildcards } from './wildcards.ts';

/** The contracts of `Broker` and `Subscriber`, one case for each line. */
export const brokerCases: readonly ContractCase<'broker'>[] = [
  ...delivery,
  ...content,
  ...queues,
  ...leaving,
  ...joining,
  ...brokerPrograms,
  ...wildcards,
  ...lifecycle,
  ...subscriber,
  ...traits,
  ...outages,
  ...outageTruths,
  ...durableQueues,
  ...redelivery,
  ...hostileToBrokers,
];

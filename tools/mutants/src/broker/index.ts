import type { Closable } from '@ts-micro/core';
import type { Mutant } from '../mutant.ts';
import { programs } from '../programs/broker.ts';
import { traitMutants } from '../traits.ts';
import { content } from './content.ts';
import { delivery } from './delivery.ts';
import { durable } from './durable.ts';
import { features } from './features.ts';
import { hostile } from './hostile.ts';
import { joining } from './joining.ts';
import { leaving } from './leaving.ts';
import { lifecycle } from './lifecycle.ts';
import { names } from './names.ts';
import { firstCalls } from './outages/first-calls.ts';
import { outages } from './outages/outage.ts';
import { queues } from './queues.ts';
import { brokers, subscribers } from './seams.ts';
import { subscriber } from './subscriber.ts';
import { wildcards } from './wildcards.ts';

type Members = (object: Closable) => Record<string, unknown>;

export const brokerMutants: readonly Mutant<'broker'>[] = [
  ...delivery,
  ...content,
  ...queues,
  ...wildcards,
  ...lifecycle,
  ...subscriber,
  ...outages,
  ...durable,
  ...leaving,
  ...joining,
  ...firstCalls,
  ...names,
  ...hostile,
  ...programs,
  ...features,
  ...traitMutants({
    interface: 'broker',
    subject: 'broker',
    methods: { connect: 0, publish: 2, subscribe: 2 },
    alter: (members: Members) => brokers(members),
  }),
  ...traitMutants({
    interface: 'broker',
    subject: 'subscriber',
    methods: {},
    alter: (members: Members) => subscribers(members),
  }),
];

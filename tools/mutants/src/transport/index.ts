import type { Closable } from '@ts-micro/core';
import type { Mutant } from '../mutant.ts';
import { programs } from '../programs/transport.ts';
import { traitMutants } from '../traits.ts';
import { addresses } from './addresses.ts';
import { content } from './content.ts';
import { deadlines } from './deadlines.ts';
import { delivery } from './delivery.ts';
import { features } from './features.ts';
import { hostile } from './hostile.ts';
import { listener } from './listener.ts';
import { outages } from './outage.ts';
import { listeners, sockets, transports } from './seams.ts';
import { socket } from './socket.ts';
import { waiting } from './waiting.ts';

type Members = (object: Closable) => Record<string, unknown>;

export const transportMutants: readonly Mutant<'transport'>[] = [
  ...delivery,
  ...content,
  ...addresses,
  ...listener,
  ...socket,
  ...waiting,
  ...outages,
  ...deadlines,
  ...features,
  ...hostile,
  ...programs,
  ...traitMutants({
    interface: 'transport',
    subject: 'transport',
    methods: { dial: 1, listen: 1 },
    alter: (members: Members) => transports(members),
  }),
  ...traitMutants({
    interface: 'transport',
    subject: 'listener',
    methods: { accept: 1 },
    alter: (members: Members) => listeners(members),
  }),
  ...traitMutants({
    interface: 'transport',
    subject: 'socket',
    methods: { send: 1, receive: 0 },
    alter: (members: Members) => sockets(members),
  }),
];

import { registerPlugin } from '@ts-micro/core';
import { natsBroker } from './nats-broker.ts';

registerPlugin('broker', 'nats', ({ addresses, logger }) => natsBroker({ servers: addresses, logger }));

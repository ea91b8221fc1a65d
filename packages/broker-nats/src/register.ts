import { natsBroker } from '@ts-micro/broker-nats';
import { registerPlugin } from '@ts-micro/core';

registerPlugin('broker', 'nats', ({ addresses, logger }) => natsBroker({ servers: addresses, logger }));

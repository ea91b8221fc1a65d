import { registerPlugin } from '@ts-micro/core';
import { redisBroker } from './redis-broker.ts';

registerPlugin('broker', 'redis', ({ addresses, logger }) => redisBroker({ url: addresses?.[0], logger }));

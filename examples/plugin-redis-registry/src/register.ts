import { registerPlugin } from '@ts-micro/core';
import { redisRegistry } from './redis-registry.ts';

registerPlugin('registry', 'redis', ({ addresses, logger }) => redisRegistry({ url: addresses?.[0], logger }));

import { registerPlugin } from '@ts-micro/core';
import { redisRegistry } from './redis-registry.ts';

registerPlugin('registry', 'redis', ({ addresses }) => redisRegistry({ url: addresses?.[0] }));

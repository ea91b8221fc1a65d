import { registerPlugin } from '@ts-micro/core';
import { natsRegistry } from './nats-registry.ts';

registerPlugin('registry', 'nats', ({ addresses, logger }) => natsRegistry({ servers: addresses, logger }));

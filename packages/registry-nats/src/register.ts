import { registerPlugin } from '@ts-micro/core';
import { natsRegistry } from '@ts-micro/registry-nats';

registerPlugin('registry', 'nats', ({ addresses, logger }) => natsRegistry({ servers: addresses, logger }));

import { registerPlugin } from '@ts-micro/core';
import { natsTransport } from './nats-transport.ts';

registerPlugin('transport', 'nats', ({ addresses, logger }) => natsTransport({ servers: addresses, logger }));

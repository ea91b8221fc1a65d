import { registerPlugin } from '@ts-micro/core';
import { natsTransport } from '@ts-micro/transport-nats';

registerPlugin('transport', 'nats', ({ addresses, logger }) => natsTransport({ servers: addresses, logger }));

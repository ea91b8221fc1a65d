import { registerPlugin } from '@ts-micro/core';
import { natsPluginFactory } from '@ts-micro/nats';
import { natsTransport } from '@ts-micro/transport-nats';

registerPlugin('transport', 'nats', natsPluginFactory(natsTransport));

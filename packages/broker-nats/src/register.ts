import { natsBroker } from '@ts-micro/broker-nats';
import { registerPlugin } from '@ts-micro/core';
import { natsPluginFactory } from '@ts-micro/nats';

registerPlugin('broker', 'nats', natsPluginFactory(natsBroker));

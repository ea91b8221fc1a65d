import { registerPlugin } from '@ts-micro/core';
import { natsPluginFactory } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';

registerPlugin('registry', 'nats', natsPluginFactory(natsRegistry));

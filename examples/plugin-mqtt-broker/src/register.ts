import { registerPlugin } from '@ts-micro/core';
import { mqttBroker } from './mqtt-broker.ts';

registerPlugin('broker', 'mqtt', ({ addresses, logger }) => mqttBroker({ url: addresses?.[0], logger }));

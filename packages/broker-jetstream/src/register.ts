import { jetstreamBroker } from '@ts-micro/broker-jetstream';
import { registerPlugin } from '@ts-micro/core';
import { jetstreamFactory } from './jetstream-flags.ts';

registerPlugin('broker', 'jetstream', jetstreamFactory(jetstreamBroker));

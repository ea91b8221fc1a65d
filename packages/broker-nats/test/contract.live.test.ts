import { testBroker } from '@ts-micro/testkit/vitest';
import { world } from './world.ts';

testBroker({ name: 'nats broker', create: () => world() });
testBroker({ name: 'nats broker, native format', create: () => world({ format: 'native' }) });

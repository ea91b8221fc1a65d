import { testBroker } from '@ts-micro/testkit/vitest';
import { owned } from './world.ts';

testBroker({ name: 'nats broker', create: () => owned() });
testBroker({ name: 'nats broker, native dialect', create: () => owned({ dialect: 'native' }) });

import { testBroker } from '@ts-micro/testkit/vitest';
import { owned } from './world.ts';

testBroker({ name: 'jetstream broker', create: () => owned() });

// Every topic has a stream of its own there, whose name and events Go Micro knows.
testBroker({ name: 'jetstream broker with the dialect natsjs', create: () => owned({ dialect: 'natsjs' }) });

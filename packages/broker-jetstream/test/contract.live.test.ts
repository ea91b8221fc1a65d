import { testBroker } from '@ts-micro/testkit/vitest';
import { owned } from './world.ts';

testBroker({ name: 'jetstream broker', create: () => owned() });

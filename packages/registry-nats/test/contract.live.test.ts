import { testRegistry } from '@ts-micro/testkit/vitest';
import { world } from './world.ts';

testRegistry({ name: 'nats registry', create: () => world() });

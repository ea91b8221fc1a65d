import { testRegistry } from '@ts-micro/testkit/vitest';
import { world } from './world.ts';

testRegistry({ name: 'nats registry without interop', create: () => world({ interop: false }) });

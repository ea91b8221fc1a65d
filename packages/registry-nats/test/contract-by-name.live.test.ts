import { testRegistry } from '@ts-micro/testkit/vitest';
import { owned } from './world.ts';

testRegistry({ name: 'nats registry without interop', create: () => owned({ interop: false }) });

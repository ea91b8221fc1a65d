import { testRegistry } from '@ts-micro/testkit/vitest';
import { owned } from './world.ts';

testRegistry({ name: 'nats registry, native dialect', create: () => owned({ dialect: 'native' }) });

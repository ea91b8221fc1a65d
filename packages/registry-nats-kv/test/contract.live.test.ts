import { testRegistry } from '@ts-micro/testkit/vitest';
import { owned } from './world.ts';

testRegistry({ name: 'nats-kv registry', create: () => owned() });

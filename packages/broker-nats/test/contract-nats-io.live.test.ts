import { testBroker } from '@ts-micro/testkit/vitest';
import { borrowed } from './world.ts';

// The same contract over the client's newer generation.
for (const dialect of ['go', 'native'] as const) {
  testBroker({ name: `nats broker on @nats-io 3.x, dialect ${dialect}`, create: () => borrowed({ dialect }) });
}

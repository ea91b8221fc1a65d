import { testTransport } from '@ts-micro/testkit/vitest';
import { borrowed } from './world.ts';

// The same contract over the client's newer generation.
for (const dialect of ['auto', 'go'] as const) {
  testTransport({ name: `nats transport on @nats-io 3.x, dialect ${dialect}`, create: () => borrowed({ dialect }) });
}

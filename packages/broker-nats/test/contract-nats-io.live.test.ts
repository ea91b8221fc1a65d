import { testBroker } from '@ts-micro/testkit/vitest';
import { borrowed } from './world.ts';

// The same contract over the client's newer generation.
for (const format of ['envelope', 'native'] as const) {
  testBroker({ name: `nats broker on @nats-io 3.x, format ${format}`, create: () => borrowed({ format }) });
}

import { testBroker } from '@ts-micro/testkit/vitest';
import { borrowed } from './world.ts';

// The same contract over the client's newer generation.
testBroker({ name: 'jetstream broker on @nats-io 3.x', create: () => borrowed() });

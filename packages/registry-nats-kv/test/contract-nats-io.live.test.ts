import { testRegistry } from '@ts-micro/testkit/vitest';
import { borrowed } from './world.ts';

// The same contract over the client's newer generation.
testRegistry({ name: 'nats-kv registry on @nats-io 3.x', create: () => borrowed() });

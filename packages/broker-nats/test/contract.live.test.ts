import { testBroker } from '@ts-micro/testkit/vitest';
import { owned } from './world.ts';

testBroker({ name: 'nats broker', create: () => owned() });
testBroker({
  name: 'nats broker, native dialect',
  async create() {
    const { faults, ...rest } = await owned({ dialect: 'native' });
    const { kill, restart, partition } = faults ?? {};
    // What finds out that a link is dead is the same in both dialects, and takes its time.
    return { ...rest, ...(kill && restart && partition && { faults: { kill, restart, partition } }) };
  },
});

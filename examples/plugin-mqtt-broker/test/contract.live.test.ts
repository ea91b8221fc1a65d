import { testBroker } from '@ts-micro/testkit/vitest';
import { connectAsync } from 'mqtt';
import { afterAll, test } from 'vitest';
import { mqttBroker } from '../src/mqtt-broker.ts';
import { toMqttTopic } from '../src/names.ts';
import { startMosquitto } from './start-mosquitto.ts';

const server = await startMosquitto();
afterAll(() => server?.[Symbol.asyncDispose]());

if (server === undefined) test.skip('the contract, as there is no mosquitto here', () => {});
else
  testBroker({
    name: 'mqtt',
    open: () => mqttBroker({ url: `mqtt://${server.address}` }),
    faults: server.faults,
    loseData: () => server.loseData(),
    badCredentials: () => mqttBroker({ url: `mqtt://somebody:wrong@${server.address}` }),
    async inject(bytes, topic) {
      const client = await connectAsync(`mqtt://${server.address}`, { protocolVersion: 5 });
      await client.publishAsync(toMqttTopic(topic, 'test'), Buffer.from(bytes), { qos: 1, retain: true });
      await client.endAsync();
    },
    count: () => server.count(),
    // Every message is acknowledged, for which a busy machine takes its time.
    timing: { factor: 3 },
  });

import { natsBroker } from '@ts-micro/broker-nats';
import { typedClient } from '@ts-micro/definition';
import { connectNats } from '@ts-micro/nats';
import { natsRegistry } from '@ts-micro/registry-nats';
import { natsTransport } from '@ts-micro/transport-nats';
import { createGreeter } from './greeter.ts';
import { greeter } from './greeter-definition.ts';
import { runToEnd } from './run-to-end.ts';

// The greeter of server.ts, composed in code: three plugins on one connection. `node in-code.js 127.0.0.1:4222`.
await runToEnd('greeter', async (signal) => {
  await using connection = await connectNats({ servers: process.argv[2] ?? '127.0.0.1:4222', signal });
  const { service, client } = createGreeter(
    {
      transport: natsTransport({ connection }),
      broker: natsBroker({ connection }),
      registry: natsRegistry({ connection }),
    },
    (text) => console.log(`say ${text}`),
  );
  await service.start({ signal });
  const { msg } = await typedClient(client, greeter).Greeter.Hello({ name: 'John' }, { signal });
  console.log(msg);
  await client.close();
  await service.stop();
});

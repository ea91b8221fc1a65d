import { memoryBroker, memoryRegistry, memoryTransport } from '@ts-micro/memory';
import { createGreeter } from '@ts-micro-examples/greeter';
import { countAndChat } from './streams.ts';
import { expect, show, tell } from './tell.ts';

/** The same service and client in one process, without NATS. */
export async function demoInMemory(): Promise<void> {
  await using transport = memoryTransport();
  await using broker = memoryBroker();
  await using registry = memoryRegistry();
  const said: string[] = [];

  tell('A greeter and a client start in this process, on the memory plugins.');
  const { service, client } = createGreeter({ transport, broker, registry }, (text) => said.push(text));
  await using _client = client;
  await service.start();
  show(`node ${service.node?.id} at ${service.node?.address}`);

  tell('The client finds the greeter in the registry and calls it.');
  const { msg } = await client.call<{ msg: string }>('greeter', 'Greeter.Hello', { name: 'John' });
  show(msg);
  expect(msg === 'Hello John', 'the greeter says Hello John');

  tell('The client publishes an event, and the greeter hears it.');
  await client.publish('greeter.say', { text: 'good morning' });

  tell('It counts in a server stream and chats in a bidirectional one.');
  await countAndChat(client);

  tell('The greeter stops: it leaves the registry and waits for what it is doing.');
  await service.stop();
  show(`it heard "${said.join()}"; the registry lists ${(await registry.listServices()).length} services`);
  expect(said.join() === 'good morning', 'the event was heard before the greeter stopped');
}

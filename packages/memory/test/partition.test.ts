import { serviceRecord } from '@ts-micro/core';
import { memoryBroker, memoryNetwork, memoryRegistry } from '@ts-micro/memory';
import { expect, test } from 'vitest';
import { pair, text, textOf, turns } from './pair.ts';

const unavailable = { code: 'unavailable', retrySafe: true };

test('a transport refuses during a partition and carries on after it', async () => {
  await using conversation = await pair();
  const { network, client, server, dialled, accepted } = conversation;
  const listener = await server.listen();
  await dialled.send(text('handed over before'));
  network.partition();
  await expect(client.dial('greeter')).rejects.toMatchObject(unavailable);
  await expect(server.listen()).rejects.toMatchObject(unavailable);
  await expect(listener.accept(() => {})).rejects.toMatchObject(unavailable);
  await expect(dialled.send(text('lost'))).rejects.toMatchObject(unavailable);
  expect(textOf(await accepted.receive())).toBe('handed over before');
  network.heal();
  await listener.accept(() => {});
  await dialled.send(text('after'));
  expect(textOf(await accepted.receive())).toBe('after');
});

test('a broker refuses during a partition and its subscribers carry on after it', async () => {
  const network = memoryNetwork();
  await using broker = memoryBroker({ network });
  const seen: (string | undefined)[] = [];
  await broker.subscribe('a', ({ message }) => void seen.push(textOf(message)));
  network.partition();
  await expect(broker.connect()).rejects.toMatchObject(unavailable);
  await expect(broker.publish('a', text('lost'))).rejects.toMatchObject(unavailable);
  await expect(broker.subscribe('a', () => {})).rejects.toMatchObject(unavailable);
  network.heal();
  await broker.publish('a', text('after'));
  await turns();
  expect(seen).toEqual(['after']);
});

test('a registry refuses during a partition, and its watchers resync after it', async () => {
  const network = memoryNetwork();
  await using registry = memoryRegistry({ network });
  await using crashing = memoryRegistry({ network });
  const greeter = serviceRecord({ name: 'greeter', nodes: [{ id: '1', address: 'memory:1' }] });
  await registry.register(greeter);
  await crashing.register(serviceRecord({ name: 'other' }));
  const watcher = await registry.watch();
  expect(await watcher.receive()).toMatchObject({ type: 'resync', services: [{ name: 'greeter' }, { name: 'other' }] });
  network.partition();
  await expect(registry.register(greeter)).rejects.toMatchObject(unavailable);
  await expect(registry.deregister(greeter)).rejects.toMatchObject(unavailable);
  await expect(registry.getService('greeter')).rejects.toMatchObject(unavailable);
  await expect(registry.listServices()).rejects.toMatchObject(unavailable);
  await expect(registry.watch()).rejects.toMatchObject(unavailable);
  await crashing.close();
  network.heal();
  expect(await watcher.receive()).toEqual({ type: 'resync', services: [greeter] });
  await registry.deregister(greeter);
  expect(await watcher.receive()).toMatchObject({ type: 'delete', service: { name: 'greeter' } });
});

test('what is closed during a partition is closed', async () => {
  await using conversation = await pair();
  const { network, dialled, accepted } = conversation;
  network.partition();
  await dialled.close();
  expect(await accepted.receive()).toBeUndefined();
});

test('healing what is whole changes nothing', async () => {
  const network = memoryNetwork();
  await using registry = memoryRegistry({ network });
  const watcher = await registry.watch();
  network.heal();
  await registry.register(serviceRecord({ name: 'greeter' }));
  expect([(await watcher.receive())?.type, (await watcher.receive())?.type]).toEqual(['resync', 'create']);
});

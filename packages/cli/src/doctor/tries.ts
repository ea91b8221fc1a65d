import { MicroError, serviceRecord } from '@ts-micro/core';
import { randomToken } from '@ts-micro/kit';
import { createService } from '@ts-micro/service';
import type { Session } from '../fleet/session.ts';
import { Latencies } from '../measure/latencies.ts';
import { durationText } from '../terminal/amounts.ts';

const roundTrips = 20;

export async function tryConnection({ plugins, signal }: Session): Promise<string> {
  const began = performance.now();
  await plugins.broker.connect({ signal });
  const { address } = plugins.broker;
  return `${address === '' ? 'made' : `to ${address}`} in ${durationText(performance.now() - began)}`;
}

/** Listens, dials, and sends to and fro, as every call does. */
export async function trySockets({ plugins, signal }: Session): Promise<string> {
  await using listener = await plugins.transport.listen(undefined, { signal });
  await listener.accept(async (socket) => {
    // No longer: towards Go Micro's dialect a close is not told, and the listener would wait for this handler.
    for (let count = 0; count < roundTrips; count++) {
      const message = await socket.receive({ signal });
      if (message === undefined) return;
      await socket.send(message, { signal });
    }
  });
  await using socket = await plugins.transport.dial(listener.address, { signal });
  const latencies = new Latencies();
  for (let count = 0; count < roundTrips; count++) {
    const began = performance.now();
    await socket.send({ headers: {}, body: new Uint8Array(64) }, { signal });
    const answer = await socket.receive({ signal });
    if (answer?.body.length !== 64) throw new MicroError('malformed', 'a message came back changed');
    latencies.add(performance.now() - began);
  }
  const { p50 = 0, max = 0 } = latencies.summary() ?? {};
  return `${roundTrips} round trips, half of them within ${durationText(p50)}, the slowest ${durationText(max)}`;
}

/** Subscribes, publishes, and waits for what was published. */
export async function tryEvents({ plugins, signal }: Session): Promise<string> {
  const topic = `ts-micro.doctor.${randomToken()}`;
  let arrived = () => {};
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const subscriber = await plugins.broker.subscribe(topic, () => arrived(), { signal });
  try {
    const began = performance.now();
    await plugins.broker.publish(topic, { headers: {}, body: new Uint8Array(64) }, { signal });
    await arrival;
    return `an event on ${topic} arrived after ${durationText(performance.now() - began)}`;
  } finally {
    await subscriber.close({ signal });
  }
}

/** Lists what is registered, and watches. */
export async function tryDiscovery({ plugins, signal }: Session): Promise<string> {
  const began = performance.now();
  const records = await plugins.registry.listServices({ signal });
  const elapsed = durationText(performance.now() - began);
  const count = `${records.length === 1 ? 'one version of a service' : `${records.length} versions of services`} in ${elapsed}`;
  if (!plugins.registry.supports.watch) return `${count}; this registry cannot be watched`;
  await using watcher = await plugins.registry.watch({ signal });
  await watcher.receive({ signal });
  return `${count}; the watch works`;
}

/** Registers a service of no use under a name of its own, finds it, and takes it away. */
export async function tryRegistration({ plugins, signal }: Session): Promise<string> {
  const name = `ts-micro-doctor-${randomToken()}`;
  const record = serviceRecord({ name, version: '0', nodes: [{ id: `${name}-1`, address: name }] });
  await plugins.registry.register(record, { ttlMs: 30_000, signal });
  try {
    const found = await plugins.registry.getService(name, { signal });
    if (found.length === 0)
      throw new MicroError('not_found', `"${name}" was registered, and a lookup does not find it`);
  } finally {
    await plugins.registry.deregister(record, { signal });
  }
  const left = await plugins.registry.getService(name, { signal });
  if (left.length > 0) throw new MicroError('conflict', `"${name}" was deregistered, and a lookup still finds it`);
  return 'a record was registered, found, and taken away';
}

/** Starts a service, calls it by its name, and stops it. */
export async function tryThrowaway({ plugins, client, signal }: Session): Promise<string> {
  const { transport, broker, registry } = plugins;
  const name = `ts-micro-doctor-${randomToken()}`;
  const service = createService({ name, version: '0', transport, broker, registry, drainGraceMs: 0 });
  service.handle('Doctor.Echo', (request: { readonly word: string }) => request);
  await service.start({ signal });
  try {
    const began = performance.now();
    const { word } = await client.call<{ word: string }>(name, 'Doctor.Echo', { word: 'hello' }, { signal });
    if (word !== 'hello') throw new MicroError('malformed', `the echo of "hello" is "${word}"`);
    return `started, found and called in ${durationText(performance.now() - began)}, stopped`;
  } finally {
    await service.stop({ signal });
  }
}

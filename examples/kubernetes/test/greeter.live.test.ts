import { get } from 'node:http';
import { startNatsServer } from '@ts-micro/testkit/nats';
import { expect, it } from 'vitest';
import { runGreeter } from '../src/greeter.ts';

function statusOf(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    }).on('error', reject);
  });
}

it('the program of the Deployment, by its environment, is ready once it serves, and not while it stops', async () => {
  await using nats = await startNatsServer();
  const env = {
    MICRO_REGISTRY: 'nats',
    MICRO_TRANSPORT: 'nats',
    MICRO_BROKER: 'nats',
    MICRO_NATS_ADDRESS: nats.address,
    PROBES_PORT: '0',
  };
  const stop = new AbortController();
  let port = 0;
  let onRunning: () => void = () => {};
  const running = new Promise<void>((resolve) => {
    onRunning = resolve;
  });
  const onProbes = (given: number): void => {
    port = given;
  };
  const ended = runGreeter(['node', 'main.js'], env, { signal: stop.signal, onProbes, onRunning });
  await running;
  expect(await statusOf(port, '/livez')).toBe(200);
  expect(await statusOf(port, '/readyz')).toBe(200);
  stop.abort();
  await expect.poll(() => statusOf(port, '/readyz').catch(() => 'gone')).not.toBe(200);
  expect(await ended).toBe(0);
  await expect(statusOf(port, '/livez')).rejects.toThrow();
});

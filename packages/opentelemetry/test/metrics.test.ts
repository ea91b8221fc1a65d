import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { type Broker, MicroError, type Registry } from '@ts-micro/core';
import { createClient, createService } from '@ts-micro/service';
import { describe, expect, it, vi } from 'vitest';
import { openTelemetry } from '../src/index.ts';
import { World } from './world.ts';

describe('metrics', () => {
  it('have the duration of calls on both sides by endpoint, and errors by code', async () => {
    await using world = new World();
    await world.serve('greeter', (service) => {
      service.handle('Greeter.Hello', () => 'hi');
      service.handle('Greeter.Fail', () => {
        throw new MicroError('conflict', 'no');
      });
    });
    const client = world.client();
    for (let call = 0; call < 3; call++) await client.call('greeter', 'Greeter.Hello');
    await client.call('greeter', 'Greeter.Fail').catch(() => {});
    await client.call('made.up', 'Made.Up').catch(() => {});
    await world.ended(9);
    const system = { 'rpc.system.name': 'ts-micro' };
    const at = { 'server.address': 'greeter' };
    const failed = { 'error.type': '409', 'rpc.status_code': '409' };
    expect(await world.values('rpc.client.call.duration')).toMatchObject([
      { attributes: { ...system, ...at, 'rpc.method': 'greeter/Greeter.Hello' }, value: { count: 3 } },
      { attributes: { ...system, ...at, 'rpc.method': 'greeter/Greeter.Fail', ...failed }, value: { count: 1 } },
      { attributes: { ...system, 'rpc.method': '_OTHER', 'error.type': 'not_found' }, value: { count: 1 } },
    ]);
    expect(await world.values('rpc.server.call.duration')).toMatchObject([
      { attributes: { ...system, 'rpc.method': 'greeter/Greeter.Hello' }, value: { count: 3 } },
      { attributes: { ...system, 'rpc.method': 'greeter/Greeter.Fail', ...failed }, value: { count: 1 } },
    ]);
  });

  it('have what is under way, while it is', async () => {
    await using world = new World();
    let answer: () => void = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await world.serve('greeter', (service) => service.handle('Greeter.Wait', () => answered));
    const call = world.client().call('greeter', 'Greeter.Wait');
    await expect.poll(() => world.sum('ts_micro.server.active_calls')).toBe(1);
    expect(await world.sum('ts_micro.client.active_calls')).toBe(1);
    answer();
    await call;
    await expect.poll(() => world.sum('ts_micro.server.active_calls')).toBe(0);
    expect(await world.sum('ts_micro.client.active_calls')).toBe(0);
  });

  it('have events sent and handled, each topic without its ids', async () => {
    await using world = new World({ topicTemplate: (topic) => topic.replace(/\d+/, '{id}') });
    await world.serve('mailer', (service) =>
      service.subscribe('orders.*.created', ({ isBad }: { isBad?: boolean }) => {
        if (isBad) throw new MicroError('invalid', 'bad');
      }),
    );
    const client = world.client();
    for (let id = 1; id <= 3; id++) await client.publish(`orders.${id}.created`, { id });
    await client.publish('orders.4.created', { isBad: true });
    await world.ended(8);
    const base = { 'messaging.system.name': 'memory' };
    const process = { ...base, 'messaging.operation.name': 'process', 'messaging.operation.type': 'process' };
    const pattern = { 'messaging.destination.template': 'orders.*.created' };
    expect(await world.values('messaging.client.sent.messages')).toMatchObject([
      { attributes: { ...base, 'messaging.destination.template': 'orders.{id}.created' }, value: 4 },
    ]);
    expect(await world.values('messaging.process.duration')).toMatchObject([
      { attributes: { ...process, ...pattern }, value: { count: 3 } },
      { attributes: { ...process, ...pattern, 'error.type': '400' }, value: { count: 1 } },
    ]);
  });

  it('bound the numbers that a peer may answer with', async () => {
    await using world = new World();
    await world.serve('liar', (service) =>
      service.handle('Liar.Answer', (code: number) => {
        throw new MicroError('remote', 'x', { remote: { id: 'x', code, detail: 'x', status: 'x' } });
      }),
    );
    const client = world.client();
    for (let code = 1000; code < 1020; code++) await client.call('liar', 'Liar.Answer', code).catch(() => {});
    await world.ended(40);
    expect(await world.values('rpc.client.call.duration')).toHaveLength(1);
    expect(await world.values('rpc.server.call.duration')).toHaveLength(1);
  });
});

describe('observed', () => {
  it('services tell how many calls and streams they refused for want of room', async () => {
    await using world = new World();
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const greeter = createService({ name: 'greeter', ...world.plugins, maxConcurrency: 1, maxBacklog: 0 });
    greeter.handle('Greeter.Wait', () => ended);
    greeter.handleStream('Greeter.Chat', () => ended);
    await greeter.start();
    world.telemetry.observe({ services: [greeter] });
    expect(await world.sum('ts_micro.service.refused')).toBe(0);
    const client = world.client();
    const running = client.call('greeter', 'Greeter.Wait');
    await using chat = await client.stream('greeter', 'Greeter.Chat');
    await chat.send({});
    await expect.poll(() => greeter.health().running).toBe(2);
    for (let call = 0; call < 2; call++)
      await expect(client.call('greeter', 'Greeter.Wait', {}, { retries: 0 })).rejects.toThrow('overloaded');
    await using refused = await client.stream('greeter', 'Greeter.Chat');
    await refused.send({});
    await expect(refused.receive()).rejects.toThrow('overloaded');
    expect(await world.sum('ts_micro.service.refused')).toBe(3);
    end();
    await running;
    await greeter.stop();
  });

  it('services, plugins and the registry are shown until it is closed', async () => {
    await using world = new World();
    const greeter = createService({ name: 'greeter', ...world.plugins, drainGraceMs: 0 });
    const broker: Broker & { readonly stats: { refused: number; confirmed: number; uncertain: number } } =
      Object.create(world.plugins.broker, {
        stats: { value: { refused: 1, confirmed: 5, uncertain: 2 } },
        isConnected: { value: false },
      });
    const observed = world.telemetry.observe({ services: [greeter], ...world.plugins, broker });
    expect(await world.values('ts_micro.service.ready')).toMatchObject([
      { attributes: { 'ts_micro.service': 'greeter' }, value: 0 },
    ]);
    await greeter.start();
    expect(await world.values('ts_micro.service.ready')).toMatchObject([
      { attributes: { 'ts_micro.service': 'greeter' }, value: 1 },
    ]);
    await expect.poll(() => world.sum('ts_micro.registry.services')).toBe(1);
    expect(await world.sum('ts_micro.registry.nodes')).toBe(1);
    expect(await world.values('ts_micro.plugin.connected')).toContainEqual(
      expect.objectContaining({
        attributes: { 'ts_micro.plugin.kind': 'broker', 'ts_micro.plugin': 'memory' },
        value: 0,
      }),
    );
    expect(await world.values('ts_micro.broker.messages')).toMatchObject([
      { attributes: { 'ts_micro.outcome': 'refused' }, value: 1 },
      { attributes: { 'ts_micro.outcome': 'confirmed' }, value: 5 },
      { attributes: { 'ts_micro.outcome': 'uncertain' }, value: 2 },
    ]);
    await greeter.stop();
    await expect.poll(() => world.sum('ts_micro.registry.services')).toBe(0);
    await observed.close();
    expect(await observed.closed).toBeUndefined();
    const asked = vi.spyOn(greeter, 'health');
    await world.values('ts_micro.service.ready');
    expect(asked).not.toHaveBeenCalled();
  });

  it('registry whose watcher ends is watched again', async () => {
    await using world = new World();
    await using _greeter = await world.serve('greeter', () => {});
    let watched = 0;
    const { registry } = world.plugins;
    const flaky = {
      name: registry.name,
      supports: registry.supports,
      watch: async () => {
        watched++;
        const watcher = await registry.watch();
        if (watched === 1) void watcher.close();
        return watcher;
      },
    } as Registry;
    await using _observed = world.telemetry.observe({ registry: flaky });
    await expect.poll(() => world.sum('ts_micro.registry.nodes')).toBe(1);
    expect(watched).toBe(2);
  });

  it('service whose health throws does not keep the others from being shown', async () => {
    await using world = new World();
    const broken = {
      name: 'broken',
      health: () => {
        throw new Error('broken');
      },
    };
    const greeter = await world.serve('greeter', () => {});
    await using _observed = world.telemetry.observe({ services: [broken, greeter] });
    expect(await world.values('ts_micro.service.ready')).toMatchObject([
      { attributes: { 'ts_micro.service': 'greeter' }, value: 1 },
    ]);
  });
});

it('a Prometheus exporter shows them', async () => {
  await using world = new World();
  const exporter = new PrometheusExporter({ host: '127.0.0.1', port: 0, preventServerStart: true });
  const meterProvider = new MeterProvider({ readers: [exporter] });
  await exporter.startServer();
  try {
    const { middleware } = openTelemetry({ meterProvider });
    await using greeter = createService({ name: 'greeter', ...world.plugins, middleware: [middleware] });
    greeter.handle('Greeter.Hello', () => 'hi');
    await greeter.start();
    await using client = createClient({ ...world.plugins, middleware: [middleware] });
    await client.call('greeter', 'Greeter.Hello');
    const text = await textAt(portOf(exporter));
    expect(text).toMatch(
      /^rpc_client_call_duration(?:_seconds)?_count\{[^}]*rpc_method="greeter\/Greeter\.Hello"[^}]*\} 1$/m,
    );
    expect(text).toMatch(/^rpc_server_call_duration(?:_seconds)?_bucket\{[^}]*le="0\.005"[^}]*\} \d+$/m);
    expect(text).toMatch(/^ts_micro_client_active_calls\{[^}]*\} 0$/m);
  } finally {
    await meterProvider.shutdown();
  }
});

function portOf(exporter: PrometheusExporter): number {
  const { _server } = exporter as unknown as { _server: { address(): AddressInfo } };
  return _server.address().port;
}

function textAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/metrics', agent: false }, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve(text);
    }).on('error', reject);
  });
}

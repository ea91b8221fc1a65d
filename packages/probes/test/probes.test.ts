import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { memoryNetwork, memoryRegistry, memoryTransport } from '@ts-micro/memory';
import { createService, type Service } from '@ts-micro/service';
import { describe, expect, it } from 'vitest';
import { type Probes, probes } from '../src/index.ts';

const host = '127.0.0.1';

interface Answer {
  readonly status: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

function ask({ port }: Probes, path: string, method = 'GET', body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request({ host, port, path, method, agent: false }, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode, headers: response.headers, text });
    });
    asking.on('error', reject).end(body);
  });
}

async function told(served: Probes, path: string): Promise<unknown> {
  const { status, text } = await ask(served, path);
  return { status, ...JSON.parse(text) };
}

function greeter(name = 'greeter'): Service {
  const network = memoryNetwork();
  const plugins = { transport: memoryTransport({ network }), registry: memoryRegistry({ network }) };
  return createService({ name, ...plugins, drainGraceMs: 0 });
}

describe('probes', () => {
  it('say whether a service is live and ready, from before its start to after its stop', async () => {
    const service = greeter();
    await using served = await probes({ services: [service], host, port: 0 });
    expect(await told(served, '/livez')).toMatchObject({ status: 'ok', services: [{ name: 'greeter', live: true }] });
    expect(await told(served, '/readyz')).toMatchObject({
      status: 'failed',
      services: [{ ready: false, reasons: ['the service is new'] }],
    });
    await service.start();
    expect(await told(served, '/readyz')).toEqual({
      status: 'ok',
      services: [
        {
          name: 'greeter',
          live: true,
          ready: true,
          connected: true,
          registered: true,
          draining: false,
          running: 0,
          refused: 0,
          reasons: [],
        },
      ],
    });
    await service.stop();
    expect((await ask(served, '/readyz')).status).toBe(503);
    expect((await ask(served, '/livez')).status).toBe(503);
  });

  it('are ok only where all services are', async () => {
    const [first, second] = [greeter('first'), greeter('second')];
    await using served = await probes({ services: [first, second], host, port: 0 });
    await first.start();
    expect(await told(served, '/readyz')).toMatchObject({
      status: 'failed',
      services: [
        { name: 'first', ready: true },
        { name: 'second', ready: false },
      ],
    });
    await second.start();
    expect((await ask(served, '/readyz')).status).toBe(200);
    await first.stop();
    await second.stop();
  });

  it('take a service whose health throws for alive and not ready', async () => {
    const broken = {
      name: 'broken',
      health: () => {
        throw new Error('out of order');
      },
    };
    await using served = await probes({ services: [broken], host, port: 0 });
    expect((await ask(served, '/livez')).status).toBe(200);
    expect(await told(served, '/readyz')).toMatchObject({
      status: 'failed',
      services: [{ name: 'broken', reasons: ['its health is not known: out of order'] }],
    });
  });

  it.each<readonly [string, string, () => unknown]>([
    ['is async', 'a promise', async () => Promise.reject(new Error('late'))],
    ['says nothing', 'does not say', () => undefined],
    ['says neither', 'does not say', () => ({ live: 'yes' })],
    ['gives what is no JSON', 'BigInt', () => ({ live: true, ready: true, running: 1n })],
  ])('take a service whose health %s for alive and not ready', async (_, reason, health) => {
    const odd = { name: 'odd', health } as unknown as Service;
    await using served = await probes({ services: [odd], host, port: 0 });
    expect((await ask(served, '/livez')).status).toBe(200);
    expect(await told(served, '/readyz')).toMatchObject({
      status: 'failed',
      services: [{ name: 'odd', reasons: [expect.stringContaining(reason)] }],
    });
  });

  it('answer HEAD without a body, refuse other methods and paths, and ignore queries and bodies', async () => {
    const service = greeter();
    await using served = await probes({ services: [service], host, port: 0 });
    expect(await ask(served, '/livez', 'HEAD')).toMatchObject({ status: 200, text: '' });
    expect(await ask(served, '/livez?verbose')).toMatchObject({ status: 200 });
    const posted = await ask(served, '/livez', 'POST', '{}');
    expect(posted).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect((await ask(served, '/')).status).toBe(404);
    expect((await ask(served, '/livez/')).status).toBe(404);
    expect((await ask(served, '/livez')).headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      connection: 'close',
    });
  });

  it('end their peers: those that say nothing, those that say nonsense, and those that flood', async () => {
    const service = greeter();
    await using served = await probes({ services: [service], host, port: 0 });
    const sockets: Socket[] = [];
    const dial = (): Socket => {
      const socket = connect(served.port, host);
      socket.on('error', () => {});
      sockets.push(socket);
      return socket;
    };
    const nonsense = dial();
    nonsense.end('no HTTP at all\r\n\r\n');
    const isOver = new Promise((resolve) => nonsense.on('close', resolve));
    nonsense.resume();
    await isOver;
    const floods = Array.from({ length: 400 }, dial);
    for (const socket of floods) socket.resume();
    // The newest stay, and whoever asks is answered beside them.
    await expect.poll(() => floods.filter(({ closed }) => closed).length).toBeGreaterThanOrEqual(144);
    expect((await ask(served, '/livez')).status).toBe(200);
    expect((await ask(served, '/readyz')).status).toBe(503);
    await served.close();
    await expect.poll(() => floods.filter(({ closed }) => !closed).length).toBe(0);
  });

  it('close in time though a peer has not finished its question', async () => {
    const service = greeter();
    const served = await probes({ services: [service], host, port: 0 });
    const silent = connect(served.port, host);
    silent.on('error', () => {});
    await new Promise((resolve) => silent.once('connect', resolve));
    silent.write('GET /livez HTTP/1.1\r\n');
    const closed = new Promise((resolve) => silent.once('close', resolve));
    silent.resume();
    await served.close();
    await closed;
    expect(await served.closed).toBeUndefined();
    await served.close();
    await expect(ask(served, '/livez')).rejects.toThrow();
  });

  it('refuse a port that is taken, and options that cannot be', async () => {
    const service = greeter();
    await using served = await probes({ services: [service], host, port: 0 });
    const taken = probes({ services: [service], host, port: served.port });
    await expect(taken).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining(`${served.port}`) });
    await expect(probes({ services: [service], host: '192.0.2.1', port: 0 })).rejects.toMatchObject({
      code: 'unavailable',
    });
    await expect(probes({ services: [], port: 0 })).rejects.toMatchObject({ code: 'invalid' });
    await expect(probes({ services: [{} as never], port: 0 })).rejects.toMatchObject({ code: 'invalid' });
    await expect(probes({ services: [service], port: 70_000 })).rejects.toMatchObject({ code: 'invalid' });
    await expect(probes({ services: [service], host: '', port: 0 })).rejects.toMatchObject({ code: 'invalid' });
    for (const options of [undefined, null, { service: [service] }, { services: [service], hostname: host, port: 0 }])
      await expect(probes(options as never)).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringMatching(/^probes: (the options are|there is no option)/),
      });
    const signal = AbortSignal.abort();
    await expect(probes({ services: [service], port: 0, signal })).rejects.toMatchObject({ code: 'canceled' });
  });
});

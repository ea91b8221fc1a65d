import type { Message } from '@ts-micro/core';
import { memoryTransport } from '@ts-micro/memory';
import { describe, expect, it } from 'vitest';
import { deferred, errorOf, json, next, request, startGreeter, until } from './fixture.ts';

const commands = '\u001b[2J\u0007forged';

describe('a peer that sends requests without end on one socket', () => {
  it('has 256 of them taken at once, and the others as those are answered', async () => {
    const gate = deferred();
    let running = 0;
    await using greeter = await startGreeter((service) => {
      service.handle('Greeter.Wait', async (number: number) => {
        running++;
        await gate.promise;
        return number;
      });
    });
    const socket = await greeter.dial();
    for (let number = 0; number < 600; number++) await socket.send(request('Greeter.Wait', number));
    await until('as many run as may', () => running === 256);
    // Another socket is served meanwhile, and nothing more of this one.
    const other = await greeter.dial();
    await other.send(request('Greeter.Wait', 600));
    await until('one more runs', () => running === 257);
    gate.resolve();
    const answers: Message[] = [];
    while (answers.length < 600) answers.push(await next(socket));
    expect(answers.map(json)).toEqual(Array.from({ length: 600 }, (_, number) => number));
    expect(json(await next(other))).toBe(600);
  });

  it('holds no stop up beyond its bound', async () => {
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Wait', () => new Promise(() => {}));
      },
      { stopTimeoutMs: 50 },
    );
    const socket = await greeter.dial();
    for (let number = 0; number < 300; number++) await socket.send(request('Greeter.Wait', number));
    await until('as many run as may', () => greeter.service.health().running === 256);
    const { abandoned } = await greeter.service.stop();
    expect(abandoned).toHaveLength(256);
  });
});

describe('a peer that opens a stream for which there is no place', () => {
  const opener = { 'Micro-Stream': '1' };

  it('is told, and its socket is closed where it asked nothing else', async () => {
    await using greeter = await startGreeter(
      (service) => service.handleStream('Greeter.Wait', async (stream) => void (await stream.receive())),
      { maxConcurrency: 1 },
    );
    const first = await greeter.dial();
    await first.send(request('Greeter.Wait', {}, opener));
    await until('it runs', () => greeter.service.health().running === 1);
    const refused = await greeter.dial();
    await refused.send(request('Greeter.Wait', {}, opener));
    expect(errorOf(await next(refused))).toMatchObject({ code: 503 });
    expect(await refused.receive({ signal: AbortSignal.timeout(5000) })).toBeUndefined();
  });

  it('is answered what else it asks on the same socket', async () => {
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Hello', (number: number) => number);
        service.handleStream('Greeter.Wait', async (stream) => void (await stream.receive()));
      },
      { maxConcurrency: 1 },
    );
    const first = await greeter.dial();
    await first.send(request('Greeter.Wait', {}, opener));
    await until('it runs', () => greeter.service.health().running === 1);
    const socket = await greeter.dial();
    await socket.send(request('Greeter.Hello', 1));
    expect(json(await next(socket))).toBe(1);
    await socket.send(request('Greeter.Wait', {}, { ...opener, 'Micro-ID': '2' }));
    expect(errorOf(await next(socket))).toMatchObject({ code: 503 });
    await socket.send(request('Greeter.Hello', 2));
    expect(json(await next(socket))).toBe(2);
  });

  it('has its socket closed as well where its stream ends for another', async () => {
    await using greeter = await startGreeter(
      (service) =>
        service.handleStream('Greeter.Wait', async (stream) => {
          while ((await stream.receive()) !== undefined);
        }),
      { maxConcurrency: 2 },
    );
    const greedy = [await greeter.dial(), await greeter.dial()];
    for (const socket of greedy) await socket.send(request('Greeter.Wait', {}, opener));
    await until('they run', () => greeter.service.health().running === 2);
    const idlest = greedy[0];
    if (idlest === undefined) throw new Error('no socket');
    await using others = memoryTransport({ network: greeter.network });
    const modest = await others.dial(greeter.service.node?.address ?? '');
    await modest.send(request('Greeter.Wait', {}, opener));
    expect(errorOf(await next(idlest))).toMatchObject({ code: 503 });
    expect(await idlest.receive({ signal: AbortSignal.timeout(5000) })).toBeUndefined();
  });
});

describe('a peer that chooses long texts and commands of terminals', () => {
  it.each([
    ['an endpoint', { 'Micro-Endpoint': commands, 'Micro-Method': commands }],
    ['a method', { 'Micro-Endpoint': `Greeter.${commands}`, 'Micro-Method': `Greeter.${commands}` }],
    ['a long endpoint', { 'Micro-Endpoint': '.'.repeat(500_000), 'Micro-Method': '.'.repeat(500_000) }],
    ['a long method', { 'Micro-Endpoint': `Greeter.${'x'.repeat(500_000)}`, 'Micro-Method': 'x' }],
    ['a content type', { 'Content-Type': `text/${'x'.repeat(500_000)}` }],
  ])('is answered in short and printable words about %s', async (_, headers) => {
    await using greeter = await startGreeter((service) => service.handle('Greeter.Hello', () => ({})));
    const socket = await greeter.dial();
    await socket.send(request('Greeter.Hello', {}, headers));
    const error = String(errorOf(await next(socket)));
    expect(error.length).toBeLessThan(400);
    expect(error).not.toContain('\u001b');
    const lines = greeter.log.map(({ message: line, fields }) => `${line} ${String(Object.values(fields))}`);
    for (const line of lines) expect(line.length).toBeLessThan(1500);
  });
});

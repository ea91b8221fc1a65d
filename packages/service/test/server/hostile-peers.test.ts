import type { Message } from '@ts-micro/core';
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

import { MicroError } from '@ts-micro/core';
import { connectNats } from '@ts-micro/nats';
import type { Service } from '@ts-micro/service';
import { describe, expect, it } from 'vitest';
import { natsServices } from '../src/index.ts';
import { PlainWorld } from './fixture.ts';

const patience = { timeout: 20_000, interval: 20 };

const shape = (name: string) => ({ name, type: 'string', values: [] });

function greet(service: Service): void {
  service.handle('Greeter.Hello', ({ name }: { name: string }) => ({ msg: `Hello ${name}` }), {
    metadata: { description: 'Says hello', 'request-schema': '{"type":"object"}' },
    request: shape('HelloRequest'),
  });
  service.handle('Greeter.Fail', ({ code, detail }: { code: number; detail: string }) => {
    throw new MicroError('remote', detail, { remote: { id: 'greeter', code, detail, status: 'S' } });
  });
  service.handleStream('Greeter.Count', () => {});
}

describe('a service that answers the services protocol of NATS', () => {
  it('is found by PING, INFO and STATS: all services, those of its name, and itself', async () => {
    await using world = await PlainWorld.start();
    const [one] = await world.add(greet, { service: { id: 'one', metadata: { zone: 'a' } } });
    await world.add(greet, { service: { id: 'two' } });
    await world.add(() => {}, { service: { name: 'other', id: 'three' } });
    const idsOf = (answers: readonly unknown[]) => answers.map((answer) => (answer as { id: string }).id).sort();
    for (const verb of ['ping', 'info', 'stats'] as const) {
      expect(idsOf(await world.found(verb, 3))).toEqual(['greeter-one', 'greeter-two', 'other-three']);
      expect(idsOf(await world.found(verb, 2, 'greeter'))).toEqual(['greeter-one', 'greeter-two']);
      const [itself] = await world.found(verb, 1, 'greeter', 'greeter-one');
      expect(itself).toMatchObject({
        type: `io.nats.micro.v1.${verb}_response`,
        name: 'greeter',
        id: one.node?.id,
        version: '1.2.0',
        metadata: { zone: 'a', service: 'greeter', node: 'greeter-one' },
      });
    }
  });

  it('describes its unary endpoints with subject, queue group, shapes and metadata', async () => {
    await using world = await PlainWorld.start();
    const [, shown] = await world.add(greet, { nats: { description: 'greets' } });
    const info = await world.one('$SRV.INFO.greeter');
    expect(info).toEqual(shown.info());
    expect(info.description).toBe('greets');
    expect(info.endpoints).toEqual([
      { name: 'Greeter-Fail', subject: 'greeter.Greeter.Fail', queue_group: 'q', metadata: {} },
      {
        name: 'Greeter-Hello',
        subject: 'greeter.Greeter.Hello',
        queue_group: 'q',
        metadata: {
          description: 'Says hello',
          request: JSON.stringify(shape('HelloRequest')),
          'request-schema': '{"type":"object"}',
        },
      },
    ]);
  });

  it('counts requests, errors and the time its handlers took', async () => {
    await using world = await PlainWorld.start();
    const [, shown] = await world.add(greet);
    await world.ask('greeter.Greeter.Hello', '{"name":"John"}');
    await world.ask('greeter.Greeter.Fail', '{"code":404,"detail":"no such name"}');
    await world.ask('greeter.Greeter.Fail', '{"code":409,"detail":"taken"}');
    const { endpoints, started } = await world.one('$SRV.STATS.greeter');
    expect(new Date(started).toISOString()).toBe(started);
    const [fail, hello] = endpoints ?? [];
    expect(fail).toMatchObject({ num_requests: 2, num_errors: 2, last_error: '409:taken' });
    expect(hello).toMatchObject({ num_requests: 1, num_errors: 0, last_error: '', queue_group: 'q' });
    expect(hello?.processing_time).toBeGreaterThan(0);
    expect(hello?.average_processing_time).toBe(hello?.processing_time);
    expect(Number.isInteger(fail?.average_processing_time)).toBe(true);
    shown.resetStats();
    expect(shown.stats()?.endpoints[0]).toMatchObject({ num_requests: 0, num_errors: 0, last_error: '' });
  });

  it('has a name that the protocol allows, and keeps its subjects', async () => {
    await using world = await PlainWorld.start();
    await world.add(greet, { service: { name: 'go.micro.srv.greeter', id: 'a' } });
    expect(await world.one('$SRV.PING.go-micro-srv-greeter.go-micro-srv-greeter-a')).toMatchObject({
      metadata: { service: 'go.micro.srv.greeter', node: 'go.micro.srv.greeter-a' },
    });
    const answer = await world.ask('go.micro.srv.greeter.Greeter.Hello', '{"name":"Ann"}');
    expect(JSON.parse(answer.text)).toEqual({ msg: 'Hello Ann' });
  });

  it('needs a semantic version, and names that NATS carries', async () => {
    await using world = await PlainWorld.start();
    expect(() => world.make(() => {}, { service: { version: 'latest' } })).toThrow(
      'nats services: version "latest" of "greeter" is not of the form 1.0.0; give one with option serviceVersion',
    );
    await world.add(() => {}, { service: { version: 'latest' }, nats: { serviceVersion: '1.0.0-rc.1+build' } });
    expect(await world.one('$SRV.PING')).toMatchObject({ version: '1.0.0-rc.1+build' });
    for (const [nats, words] of [
      [{ serviceName: 'a b' }, 'option serviceName is "a b"'],
      [{ serviceVersion: '1.0' }, 'version "1.0"'],
      [{ subjectPrefix: 'a b' }, 'option subjectPrefix: "a b" contains a space'],
      [{ queue: '*' }, 'queue "*"'],
      [{ timeoutMs: 0 }, 'option timeoutMs is 0'],
      [{ description: 7 as never }, 'option description is 7'],
    ] as const)
      expect(() => world.make(() => {}, { nats })).toThrow(words);
    for (const service of [undefined, null, {}])
      expect(() => natsServices(service as never)).toThrow('nats services: option service is');
    const [star] = world.make((service) => service.handle('Greeter.*', () => ({})));
    await expect(star.start()).rejects.toMatchObject({ code: 'invalid' });
  });

  it('fails to start where the server refuses a subscription, and is not left half open', async () => {
    await using world = await PlainWorld.start(
      {
        config:
          'authorization { users: [ { user: a, password: a }, { user: b, password: b, permissions: { subscribe: { deny: "$SRV.>" } } } ] }',
      },
      { user: 'a', pass: 'a' },
    );
    const [service] = world.make(greet, { nats: { user: 'b', password: 'b' } });
    await expect(service.start()).rejects.toMatchObject({ code: 'unauthorized' });
    await expect.poll(() => world.server.counts(), patience).toMatchObject({ connections: 1 });
  });

  it('needs no more permissions than the README names', async () => {
    const subjects = ['PING', 'INFO', 'STATS'].flatMap((verb) => [
      `$SRV.${verb}`,
      `$SRV.${verb}.greeter`,
      `$SRV.${verb}.greeter.*`,
    ]);
    const subscribe = [...subjects, 'greeter.>'].map((subject) => `"${subject}"`);
    const permissions = `{ subscribe: [${subscribe}], publish: { deny: ">" }, allow_responses: true }`;
    const users = `{ user: a, password: a }, { user: b, password: b, permissions: ${permissions} }`;
    await using world = await PlainWorld.start(
      { config: `authorization { users: [ ${users} ] }` },
      { user: 'a', pass: 'a' },
    );
    const [, shown] = await world.add(greet, { nats: { user: 'b', password: 'b', inboxPrefix: '_INBOX.b' } });
    const { id } = shown.info() as { id: string };
    for (const verb of ['ping', 'info', 'stats'] as const)
      for (const names of [[], ['greeter'], ['greeter', id]] as const)
        expect(await world.found(verb, 1, ...names)).toHaveLength(1);
    expect(await world.ask('greeter.Greeter.Hello', '{"name":"John"}')).toMatchObject({ error: '' });
    expect(await world.ask('greeter.Greeter.Hello', '{')).toMatchObject({ code: '400' });
  });
});

describe('a plain request', () => {
  it('is answered with plain JSON, by one instance of the queue group', async () => {
    await using world = await PlainWorld.start();
    const counts = [0, 0];
    for (const index of [0, 1]) {
      await world.add((service) =>
        service.handle('Greeter.Hello', ({ name }: { name: string }) => {
          counts[index] = (counts[index] ?? 0) + 1;
          return { msg: `Hello ${name}` };
        }),
      );
    }
    for (let n = 0; n < 50; n++) {
      const { text, headers } = await world.ask('greeter.Greeter.Hello', JSON.stringify({ name: `John ${n}` }));
      expect([JSON.parse(text), headers]).toEqual([{ msg: `Hello John ${n}` }, {}]);
    }
    expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBe(50);
  });

  it('brings its headers as metadata, and runs inside the middleware of the service', async () => {
    await using world = await PlainWorld.start();
    await world.add((service) => {
      service.use(async (call, next) => ({ seen: call.headers.tenant, answer: await next() }));
      service.handle('Greeter.Who', (_request, { metadata, local, remote }) => ({ metadata, local, remote }));
    });
    const headers = { tenant: 'acme', 'Content-Type': 'Application/JSON; charset=utf-8', 'Nats-Msg-Id': '7' };
    const { seen, answer } = JSON.parse((await world.ask('greeter.Greeter.Who', '', headers)).text);
    expect(seen).toBe('acme');
    expect(answer).toMatchObject({ metadata: { tenant: 'acme' }, local: 'greeter.Greeter.Who' });
    expect(answer.remote).toMatch(/^_INBOX\./);
  });

  it('may carry bytes', async () => {
    await using world = await PlainWorld.start();
    await world.add((service) => service.handle('Greeter.Echo', (request) => request));
    const headers = { 'Content-Type': 'application/octet-stream' };
    expect(await world.ask('greeter.Greeter.Echo', 'raw', headers)).toMatchObject({ text: 'raw', headers });
  });

  it('fails with the number and words of a handler in headers, and the whole error as JSON', async () => {
    await using world = await PlainWorld.start();
    await world.add((service) => {
      greet(service);
      service.handle('Greeter.Broken', () => {
        throw new Error('two\r\nlines');
      });
      service.handle('Greeter.Missing', () => {
        throw new MicroError('not_found', 'no such name');
      });
    });
    const taken = await world.ask('greeter.Greeter.Fail', '{"code":409,"detail":"taken"}');
    expect([taken.code, taken.error]).toEqual(['409', 'taken']);
    expect(JSON.parse(taken.text)).toEqual({ id: 'greeter', code: 409, detail: 'taken', status: 'S' });
    const broken = await world.ask('greeter.Greeter.Broken', '{}');
    expect([broken.code, broken.error]).toEqual(['500', 'two lines']);
    const missing = await world.ask('greeter.Greeter.Missing', '{}');
    expect([missing.code, missing.error]).toEqual(['404', 'no such name']);
    await expect(world.ask('greeter.Greeter.Unknown', '{}')).rejects.toThrow(/no responders/i);
  });

  it('is told when its time is over, and so is the handler', async () => {
    await using world = await PlainWorld.start();
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const reasons: unknown[] = [];
    await world.add(
      (service) =>
        service.handle('Greeter.Slow', (_request, { signal }) => {
          signal.addEventListener('abort', () => reasons.push(signal.reason.name));
          return ended;
        }),
      { nats: { timeoutMs: 100 } },
    );
    const ask = async () => {
      expect(await world.ask('greeter.Greeter.Slow', '{}')).toMatchObject({ code: '504' });
      return reasons;
    };
    // On a busy machine the time may be over before the handler had its turn.
    await expect.poll(ask, patience).toContain('TimeoutError');
    end();
  });

  it('shares the limits of the service: too many are refused in words', async () => {
    await using world = await PlainWorld.start();
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const [service] = await world.add((added) => added.handle('Greeter.Wait', () => released), {
      service: { maxConcurrency: 1, maxBacklog: 0 },
    });
    const first = world.ask('greeter.Greeter.Wait', '{}');
    await expect.poll(() => service.health().running, patience).toBe(1);
    for (let n = 0; n < 10; n++)
      expect(await world.ask('greeter.Greeter.Wait', '{}')).toMatchObject({
        code: '503',
        error: expect.stringContaining('overloaded'),
      });
    release();
    expect(await first).toMatchObject({ code: '' });
  });

  it('of a sender with many keeps no place from those of another, whatever their reply subjects', async () => {
    await using world = await PlainWorld.start();
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const [service, shown] = await world.add((added) => added.handle('Greeter.Wait', () => released), {
      service: { maxConcurrency: 1, maxBacklog: 4 },
    });
    const first = world.ask('greeter.Greeter.Wait', '{}');
    await expect.poll(() => service.health().running, patience).toBe(1);
    for (let n = 0; n < 20; n++) world.client.publish('greeter.Greeter.Wait', '{}', { reply: `_INBOX.greedy.${n}` });
    await expect.poll(() => service.health().refused, patience).toBe(16);
    const other = world.ask('greeter.Greeter.Wait', '{}');
    await expect.poll(() => shown.stats()?.endpoints[0], patience).toMatchObject({ num_requests: 22, num_errors: 17 });
    release();
    expect([await first, await other]).toMatchObject([{ code: '' }, { code: '' }]);
  });

  it('and a question are not answered to the interfaces of the server', async () => {
    await using world = await PlainWorld.start();
    const [, shown] = await world.add(greet);
    const heard: string[] = [];
    const listening = world.client.subscribe('$JS.>', { callback: (_error, { subject }) => void heard.push(subject) });
    const reply = '$JS.API.STREAM.PURGE.ORDERS';
    for (const subject of ['$SRV.PING', '$SRV.INFO', '$SRV.STATS', 'greeter.Greeter.Hello', 'greeter.Greeter.Fail'])
      world.client.publish(subject, '{}', { reply });
    await world.ask('greeter.Greeter.Hello', '{"name":"John"}');
    await world.one('$SRV.STATS');
    await world.client.flush();
    expect(heard).toEqual([]);
    // Newer servers let no such request through.
    expect(['', '400:the reply subject is none that is answered']).toContain(shown.stats()?.endpoints[1]?.last_error);
    listening.unsubscribe();
  });

  it('that breaks a rule is answered with what is wrong, or dropped, and harms nobody', async () => {
    await using world = await PlainWorld.start({ config: 'max_payload: 65536' });
    let ran = 0;
    const [service, shown] = await world.add((added) => {
      greet(added);
      added.handle('Greeter.Large', () => 'x'.repeat(100_000));
      added.handle('Greeter.LargeError', () => {
        throw new Error('y'.repeat(100_000));
      });
      added.handle('Greeter.Ran', () => {
        ran++;
      });
    });
    expect(await world.ask('greeter.Greeter.Hello', '{"name":')).toMatchObject({ code: '400' });
    expect(await world.ask('greeter.Greeter.Hello', Buffer.alloc(65_000, 0xff))).toMatchObject({ code: '400' });
    expect(await world.ask('greeter.Greeter.Hello', '{}', { 'Content-Type': 'text/x' })).toMatchObject({ code: '501' });
    expect(await world.ask('greeter.Greeter.Large', '{}')).toMatchObject({ code: '413' });
    const large = await world.ask('greeter.Greeter.LargeError', '{}');
    expect([large.code, large.error.length, large.text]).toEqual(['500', 1003, '']);
    // Without a reply subject nobody would hear the answer.
    world.client.publish('greeter.Greeter.Ran', '{}');
    world.client.publish('$SRV.PING');
    world.client.publish('$SRV.STATS.greeter', Buffer.alloc(65_000));
    await world.client.flush();
    await expect
      .poll(() => shown.stats()?.endpoints.find(({ name }) => name === 'Greeter-Ran'), patience)
      .toMatchObject({
        num_requests: 1,
        num_errors: 1,
        last_error: '400:no reply subject',
      });
    expect(ran).toBe(0);
    expect(JSON.parse((await world.ask('greeter.Greeter.Hello', '{"name":"John"}')).text)).toEqual({
      msg: 'Hello John',
    });
    expect(service.health().running).toBe(0);
  });

  it('survives floods of questions and requests', async () => {
    await using world = await PlainWorld.start();
    await world.add(greet);
    for (let n = 0; n < 5000; n++) {
      world.client.publish('$SRV.INFO', '', { reply: 'nobody.reads' });
      world.client.publish('greeter.Greeter.Hello', '{"name":"x"}', { reply: 'nobody.reads' });
    }
    await world.client.flush();
    const answer = async () => (await world.ask('greeter.Greeter.Hello', '{"name":"John"}')).text;
    await expect.poll(answer, patience).toContain('Hello John');
    // The last questions of the flood may still keep others out.
    const ping = async () => (await world.ask('$SRV.PING', '', {}, 1000).catch(() => undefined))?.text;
    await expect.poll(ping, patience).toContain('greeter');
  });
});

describe('a service that NATS sees', () => {
  it('answers what it has taken while it stops, and leaves nothing behind', async () => {
    await using world = await PlainWorld.start();
    let release = () => {};
    const released = new Promise<string>((resolve) => {
      release = () => resolve('done');
    });
    const [service, shown] = await world.add((added) => added.handle('Greeter.Wait', () => released));
    const before = await world.server.counts();
    const asked = world.ask('greeter.Greeter.Wait', '{}');
    await expect.poll(() => service.health().running, patience).toBe(1);
    const stopped = service.stop();
    // It is not there for new ones, though it still runs.
    await expect.poll(async () => (await world.server.counts()).subscriptions, patience).toBe(before.subscriptions - 9);
    await expect(world.ask('$SRV.PING', '')).rejects.toThrow(/no responders/i);
    release();
    expect((await asked).text.trim()).toBe('"done"');
    expect(await stopped).toEqual({ abandoned: [] });
    expect([shown.info(), shown.stats()]).toEqual([undefined, undefined]);
    await expect.poll(() => world.server.counts(), patience).toMatchObject({ connections: 1 });
  });

  it('leaves a connection that it borrowed open, without its subscriptions', async () => {
    await using world = await PlainWorld.start();
    await using connection = await connectNats({ servers: world.server.address });
    const before = await world.server.counts();
    const [service] = world.make(greet, { nats: { servers: undefined, connection } });
    await service.start();
    expect((await world.ask('greeter.Greeter.Hello', '{"name":"John"}')).text).toContain('Hello John');
    await service.stop();
    await connection.flush();
    expect(connection.state.status).toBe('connected');
    expect((await world.server.counts()).connections).toBe(before.connections);
    await expect(world.ask('greeter.Greeter.Hello', '{}')).rejects.toThrow(/no responders/i);
  });

  it('is there again after a restart of the server', async () => {
    await using world = await PlainWorld.start();
    await world.add(greet);
    await world.server.restart();
    const answer = async () => {
      const asked = await world.ask('greeter.Greeter.Hello', '{"name":"John"}', {}, 500).catch(() => undefined);
      return asked?.text;
    };
    await expect.poll(answer, patience).toContain('Hello John');
    expect(await world.one('$SRV.PING.greeter')).toMatchObject({ name: 'greeter' });
  });

  it('stops in time while the server is away', async () => {
    await using world = await PlainWorld.start();
    const [service] = await world.add(greet);
    await world.server.kill();
    expect(await service.stop()).toEqual({ abandoned: [] });
  });

  it('cannot be shown once it has started', async () => {
    await using world = await PlainWorld.start();
    const [service] = await world.add(greet);
    expect(() => natsServices(service, { servers: world.server.address })).toThrow('attach was called after start');
  });
});

import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serviceRecord } from '@ts-micro/core';
import { type NatsServer, startNatsServer } from '@ts-micro/testkit/nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandLine } from './program/command-line.ts';
import { Fleet } from './program/fleet.ts';
import type { RunResult } from './program/spawned-program.ts';

describe('ts-micro', () => {
  let server: NatsServer;
  let program: CommandLine;
  beforeAll(async () => {
    server = await startNatsServer();
    program = new CommandLine(server.address);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  /** A failure is one line on standard error, and nothing on standard output. */
  function expectFailure({ code, out, err }: RunResult, expectedCode: number, line: RegExp): void {
    expect(err.trimEnd()).toMatch(line);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect({ code, out }).toEqual({ code: expectedCode, out: '' });
  }

  describe('looks at a fleet', () => {
    let fleet: Fleet;
    beforeAll(async () => {
      fleet = new Fleet(server.address);
      await fleet.greeter('one');
      await fleet.greeter('two');
      await fleet.greeter('three', '2.0.0');
    });
    afterAll(() => fleet?.[Symbol.asyncDispose]());

    it('services lists versions with their nodes', async () => {
      const { code, out } = await program.run(['services']);
      expect(code).toBe(0);
      expect(out.split('\n').slice(0, 3)).toEqual([
        'SERVICE  VERSION  NODES  ENDPOINTS  SUBSCRIBES TO',
        'greeter  1.0.0        2          4  greeter.say',
        'greeter  2.0.0        1          4  greeter.say',
      ]);
    });

    it('call prints what a handler answers that returns nothing', async () => {
      expect(await program.run(['call', 'greeter', 'Debug.Nothing'])).toEqual({ code: 0, out: '{}\n', err: '' });
    });

    it('services --json prints the records', async () => {
      const { out } = await program.run(['services', '--json']);
      const records = JSON.parse(out);
      expect(records.map(({ name, version }: { name: string; version: string }) => [name, version])).toEqual([
        ['greeter', '1.0.0'],
        ['greeter', '2.0.0'],
      ]);
    });

    it('describe shows nodes, shapes and subscriptions of one version', async () => {
      const { code, out } = await program.run(['describe', 'greeter', '--version', '2.0.0']);
      expect(code).toBe(0);
      expect(out).toMatch(/^greeter 2\.0\.0\n/);
      expect(out).toMatch(/greeter-three {2}\S+ {2}.*protocol=mucp/);
      expect(out).toMatch(/Greeter\.Hello {2,}\{ name: string \} {2,}\{ msg: string \}/);
      expect(out).toMatch(/Greeter\.Double {2,}stream {2,}stream/);
      expect(out).not.toContain('greeter-one');
    });

    it('call prints the answer, and takes metadata and a version', async () => {
      const words = ['call', 'greeter', 'Greeter.Hello', '{"name":"John"}', '--metadata', 'Tenant=acme'];
      const { code, out } = await program.run([...words, '--version', '2.0.0']);
      expect({ code, answer: JSON.parse(out) }).toEqual({
        code: 0,
        answer: { msg: 'Hello John', from: 'three', tenant: 'acme' },
      });
    });

    it('call goes to the node that is named by the beginning of its id', async () => {
      const words = ['call', 'greeter', 'Greeter.Hello', '{"name":"John"}', '--json', '--node', 'greeter-tw'];
      const { out } = await program.run(words);
      expect(out).toBe('{"msg":"Hello John","from":"two"}\n');
    });

    it('call takes its body from standard input and from a file', async () => {
      const words = ['call', 'greeter', 'Greeter.Hello', '-', '--json', '--node', 'greeter-one'];
      expect(await program.run(words, '{"name":"Ann"}')).toMatchObject({
        code: 0,
        out: '{"msg":"Hello Ann","from":"one"}\n',
      });
      const file = join(tmpdir(), `ts-micro-${randomUUID()}.json`);
      await writeFile(file, '{"name":"Bob"}');
      const { out } = await program.run(['call', 'greeter', 'Greeter.Hello', `@${file}`, '--node', 'greeter-one']);
      expect(out).toBe('{\n  "msg": "Hello Bob",\n  "from": "one"\n}\n');
      await rm(file);
    });

    it('call keeps numbers beyond 2^53, there and back', async () => {
      const body = '{"id":12345678901234567890,"rate":1.50,"empty":{},"list":[]}';
      const { code, out } = await program.run(['call', 'greeter', 'Greeter.Mirror', body, '--json']);
      expect({ code, out }).toEqual({ code: 0, out: `${body}\n` });
    });

    it('call --repeat shows latencies, and counts failures', async () => {
      const words = ['call', 'greeter', 'Greeter.Hello', '{"name":"John"}', '--repeat', '200', '--concurrency', '8'];
      const { code, out } = await program.run(words);
      expect(code).toBe(0);
      expect(out).toMatch(/^200 calls in .*: \d+ a second, 200 succeeded, 0 failed\nmin .* p50 .* p99 .* max /);
      expect(out).toMatch(/≤ .* {2}\d+ {2}█/);
      const failed = await program.run(['call', 'greeter', 'Greeter.Hello', '{"name":""}', '--repeat', '5', '--json']);
      expect(failed.code).toBe(1);
      expect(JSON.parse(failed.out)).toMatchObject({ calls: 5, succeeded: 0, failures: { remote: 5 } });
    });

    it('health and stats ask every node', async () => {
      const health = await program.run(['health', 'greeter', '--json']);
      expect(health.code).toBe(0);
      expect(JSON.parse(health.out)).toMatchObject(
        ['one', 'two', 'three'].map((id) => ({ node: `greeter-${id}`, ok: true })),
      );
      const stats = await program.run(['stats', 'greeter']);
      expect(stats.code).toBe(0);
      expect(stats.out).toMatch(/greeter {2}2\.0\.0 {4}greeter-three .* MiB {2,}1 /);
    });

    it('top prints views one by one where nobody looks at a terminal', async () => {
      const words = ['top', 'greeter', '--count', '1', '--interval', '100ms'];
      const { code, out } = await program.run(words);
      expect(code).toBe(0);
      expect(out).toMatch(/^1 services, 3 nodes, \d/);
      expect(out).toMatch(/greeter {2}2\.0\.0 {4}greeter-three +\d/);
      const json = JSON.parse((await program.run([...words, '--json', '--filter', 'two'])).out);
      expect(json.nodes).toMatchObject([{ service: 'greeter', node: 'greeter-two' }]);
    });

    it('stream sends lines and prints lines', async () => {
      const given = await program.run(['stream', 'greeter', 'Greeter.Double', '{"value":1}', '{"value":2}']);
      expect(given).toEqual({ code: 0, out: '{"twice":2}\n{"twice":4}\n', err: '' });
      const piped = await program.run(['stream', 'greeter', 'Greeter.Double'], '{"value":3}\n\n{"value":4}\n');
      expect(piped).toEqual({ code: 0, out: '{"twice":6}\n{"twice":8}\n', err: '' });
    });

    it('definition writes the source of a definition', async () => {
      const { code, out } = await program.run(['definition', 'greeter', '--version', '1.0.0']);
      expect(code).toBe(0);
      expect(out).toContain("from '@ts-micro/definition'");
      expect(out).toContain("'Greeter.Hello': unary({");
    });

    it('doctor finds all well, and leaves nothing registered', async () => {
      const { code, out } = await program.run(['doctor', '--json']);
      const { ok, findings } = JSON.parse(out);
      expect({ ok, code, bad: findings.filter(({ verdict }: { verdict: string }) => verdict !== 'good') }).toEqual({
        ok: true,
        code: 0,
        bad: [],
      });
      const services = await program.run(['services', '--json']);
      expect(services.out).not.toContain('doctor');
    });

    it('completes commands, options, services, endpoints and topics', async () => {
      const complete = async (...words: readonly string[]) =>
        (await program.run(['complete', '--', ...words])).out.trimEnd().split('\n');
      expect(await complete('de')).toEqual(['definition', 'describe']);
      expect(await complete('call', '--met')).toEqual(['--metadata']);
      expect(await complete('call', 'gre')).toEqual(['greeter']);
      expect(await complete('call', 'greeter', 'Greeter.H')).toEqual(['Greeter.Hello']);
      expect(await complete('publish', 'gre')).toEqual(['greeter.say']);
    });

    it('an unknown service, version, node or endpoint is one line that says which there are', async () => {
      const run = (...words: readonly string[]) => program.run(words);
      expectFailure(await run('call', 'greter', 'Greeter.Hello'), 3, /no service .*"greter"; did you mean greeter\?/);
      expectFailure(await run('describe', 'nobody'), 3, /no service is called "nobody"; the services are: greeter/);
      expectFailure(
        await run('call', 'greeter', 'Greeter.Helo'),
        3,
        /has no endpoint "Greeter\.Helo"; did you mean Greeter\.Hello\?/,
      );
      expectFailure(
        await run('call', 'greeter', 'Greeter.Hello', '{}', '--version', '9'),
        3,
        /no version "9"; it has 1\.0\.0, 2\.0\.0/,
      );
      expectFailure(
        await run('call', 'greeter', 'Greeter.Hello', '{}', '--node', 'greeter-t'),
        2,
        /several nodes begin/,
      );
      // As of a variable that is not set.
      for (const command of ['call', 'stream'])
        expectFailure(
          await run(command, 'greeter', 'Greeter.Hello', '{}', '--node', ''),
          3,
          /no node is called ""; there are greeter-/,
        );
    });

    it('a body that is no JSON, a file that is not there, and a wrong option are one line', async () => {
      expectFailure(await program.run(['call', 'greeter', 'Greeter.Hello', '{name:1}']), 2, /the body is not JSON/);
      expectFailure(await program.run(['call', 'greeter', 'Greeter.Hello', '-'], ''), 2, /standard input .* empty/);
      expectFailure(
        await program.run(['call', 'greeter', 'Greeter.Hello', '@no.json']),
        3,
        /"no\.json" cannot be read/,
      );
      expectFailure(await program.run(['call', 'greeter']), 2, /missing required argument 'endpoint'/);
      expectFailure(await program.run(['srvices']), 2, /unknown command 'srvices' \(Did you mean services\?\)/);
      expectFailure(await program.run(['call', 'a', 'b', '--timeout', 'soon']), 2, /Write a time such as/);
      expectFailure(await program.run(['services', '--nats_adress=x']), 2, /did you mean --nats_address\?/);
    });

    it("a handler's error and a deadline have exit codes of their own", async () => {
      expectFailure(await program.run(['call', 'greeter', 'Greeter.Hello', '{"name":""}']), 1, /a name is needed/);
      const late = await program.run(['call', 'greeter', 'Greeter.Never', '{}', '--timeout', '200ms']);
      expectFailure(late, 5, /--timeout/);
      const quiet = program.start('stream', 'greeter', 'Greeter.Double', '--idle', '200ms');
      expectFailure(await quiet.ended, 5, /nothing came in 200 ms; give it more time with --idle/);
    });
  });

  it('publish and subscribe exchange events, with wildcards and a count', async () => {
    const run = program.start('subscribe', 'orders.>', '--count', '2', '--json');
    const seen = program.start('subscribe', 'orders.*');
    await expect.poll(() => seen.err).toContain('subscribed to orders.*');
    await expect
      .poll(async () => {
        await program.run(['publish', 'orders.new', '{"id": 7}', '--metadata', 'Tenant=acme']);
        return run.out.split('\n').length;
      })
      .toBeGreaterThan(2);
    const { code, out } = await run.ended;
    const [first] = out.split('\n');
    expect(code).toBe(0);
    expect(JSON.parse(first as string)).toMatchObject({
      topic: 'orders.new',
      headers: { Tenant: 'acme' },
      body: { id: 7 },
    });
    await expect.poll(() => seen.out).toContain('orders.new  {"id":7}\n');
    expect(await seen.interrupt()).toMatchObject({ code: 0 });
  });

  it('watch tells what joins and leaves', async () => {
    await using fleet = new Fleet(server.address);
    const first = await fleet.greeter('first');
    const run = program.start('watch', 'greeter');
    await expect.poll(() => run.out).toMatch(/= is there {2}greeter 1\.0\.0 {2}greeter-first/);
    await fleet.greeter('second');
    await expect.poll(() => run.out).toMatch(/\+ joined {2}greeter 1\.0\.0 {2}greeter-second/);
    await first.stop();
    await expect.poll(() => run.out).toMatch(/- left {2}greeter 1\.0\.0 {2}greeter-first/);
    expect(await run.interrupt()).toMatchObject({ code: 0, err: '' });
  });

  it('health says which node does not answer, and fails', async () => {
    await using fleet = new Fleet(server.address);
    await fleet.register(
      serviceRecord({ name: 'ghost', version: '1', nodes: [{ id: 'ghost-1', address: 'nowhere' }] }),
    );
    const { code, out } = await program.run(['health', 'ghost']);
    expect(code).toBe(1);
    expect(out).toMatch(/ghost {4}1 {8}ghost-1 {2}unavailable: /);
  });

  it('shows escape sequences of names and values and does not send them to the terminal', async () => {
    await using fleet = new Fleet(server.address);
    const metadata = { note: '\u001b[2J\u009b31mred' };
    const node = { id: 'evil-\u001b[31m', address: 'nowhere', metadata };
    await fleet.register(serviceRecord({ name: 'evil', version: '1', nodes: [node] }));
    for (const words of [
      ['services'],
      ['describe', 'evil'],
      ['health', 'evil'],
      ['call', 'evil', 'A.B', '--node', 'x'],
    ]) {
      const { out, err } = await program.run(words);
      for (const control of [0x1b, 0x9b]) expect(out + err).not.toContain(String.fromCodePoint(control));
      expect(out + err).toContain('evil');
    }
    const { out } = await program.run(['services', '--json']);
    expect(out).not.toContain('\u009b');
    expect(JSON.parse(out)).toMatchObject([{ name: 'evil', nodes: [{ id: node.id, metadata }] }]);
  });

  it('colours where FORCE_COLOR says so, and neither with NO_COLOR nor with --no-color', async () => {
    await using fleet = new Fleet(server.address);
    await fleet.greeter('one');
    const escapeCharacter = String.fromCodePoint(27);
    const outputOf = async (env: Readonly<Record<string, string>>, ...flags: readonly string[]) =>
      (await new CommandLine(server.address, { env }).run(['services', ...flags])).out;
    expect(await outputOf({ FORCE_COLOR: '1' })).toContain(escapeCharacter);
    expect(await outputOf({ FORCE_COLOR: '1' }, '--no-color')).not.toContain(escapeCharacter);
    expect(await outputOf({ FORCE_COLOR: '1', NO_COLOR: '1' })).not.toContain(escapeCharacter);
    expect(await outputOf({})).not.toContain(escapeCharacter);
  });

  it('fits tables into the columns that there are', async () => {
    await using fleet = new Fleet(server.address);
    await fleet.greeter('a-node-with-a-name-that-is-rather-long');
    const { out } = await new CommandLine(server.address, { columns: 60 }).run(['describe', 'greeter']);
    expect(out).toContain('…');
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
  });

  it('no server is one line that says how to name one', async () => {
    for (const command of ['services', 'doctor', 'health', 'watch', 'stats']) {
      const { code, out, err } = await program.run([command, '--nats_address=127.0.0.1:1']);
      expect(out + err).toMatch(/127\.0\.0\.1:1.*ECONNREFUSED/);
      expect(out + err).toContain('--nats_address=HOST:PORT');
      expect(out + err).not.toMatch(/\n\s+at /);
      expect(code).toBe(command === 'doctor' ? 1 : 4);
    }
  });

  it('no server of a plugin with another name is one line that says which flag names one', async () => {
    const chosen = ['--registry=nats-kv', '--nats_address=127.0.0.1:1'];
    const failed = await program.run(['services', ...chosen, '--registry_address=127.0.0.1:1']);
    expectFailure(failed, 4, /ECONNREFUSED.*--registry_address/);
  });

  it('doctor names the permission that is missing', async () => {
    await using closed = await startNatsServer({
      config: `authorization { users = [{ user: app, password: secret, permissions: {
        publish: { deny: ["ts-micro.doctor.>"] }, subscribe: [">"] } }] }`,
    });
    const flags = [`--nats_address=${closed.address}`, '--nats_user=app', '--nats_password=secret'];
    const { code, out } = await program.run(['doctor', ...flags]);
    expect(code).toBe(1);
    expect(out).toMatch(/✗ events: .*ts-micro\.doctor\./);
    expect(out).toMatch(/→ give this account the permission/);
    expect(out).toMatch(/✓ requests and answers/);
  });
});

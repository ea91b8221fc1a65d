import { freePorts, startNatsServer } from '@ts-micro/testkit/nats';
import { describe, expect, test } from 'vitest';
import { BareGreeter } from './bare-greeter.ts';
import { BarePeer } from './bare-peer.ts';
import { GreeterProcess, natsFlags, type Outcome } from './greeter-process.ts';

// Processes start slowly on a loaded machine; what hangs takes longer.
const withinMs = 15_000;

/** One line on stderr that says what is wrong, and nothing else. */
function expectOneLine({ code, stdout, stderr, ranMs }: Outcome, pattern: RegExp): void {
  expect({ code, stdout, lines: stderr.length }).toEqual({ code: 1, stdout: [], lines: 1 });
  expect(stderr[0]).toMatch(/^greeter (client|server): /);
  expect(stderr[0]).toMatch(pattern);
  expect(ranMs).toBeLessThan(withinMs);
}

/** An address where nothing listens. */
async function refusedAddress(): Promise<string> {
  return `127.0.0.1:${await freePorts(1)}`;
}

describe('the client', () => {
  test('is greeted by name', async () => {
    await using server = await startNatsServer();
    const flags = natsFlags(server.address);
    await using _greeter = await GreeterProcess.serve(flags);
    expect(await GreeterProcess.call([...flags, '--name=John'])).toMatchObject({
      code: 0,
      stdout: ['Hello John'],
      stderr: [],
    });
    expect(await GreeterProcess.call([...flags, '--name', 'Ann Böll'])).toMatchObject({ stdout: ['Hello Ann Böll'] });
  });

  test('makes many calls and says who answered them', async () => {
    await using server = await startNatsServer();
    const flags = natsFlags(server.address);
    await using one = await GreeterProcess.serve(flags);
    await using two = await GreeterProcess.serve(flags);
    // The first of them to be found may have answered all before the other is heard of.
    const askedAll = async () => {
      const { code, stdout, stderr } = await GreeterProcess.call([...flags, '--calls=200', '--concurrency=8']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: [] });
      expect(stdout[0]).toBe('ok 200 failed 0');
      const breakdown = stdout.slice(1).map((line) => /^ {2}(\d+) by (\S+)$/.exec(line)?.slice(1) as [string, string]);
      expect(breakdown.reduce((sum, [count]) => sum + Number(count), 0)).toBe(200);
      return new Set(breakdown.map(([, id]) => id));
    };
    await expect.poll(askedAll, { timeout: 15_000 }).toEqual(new Set([one.id, two.id]));
  });

  test('takes its plugins and their address from the environment, and a flag before it', async () => {
    await using server = await startNatsServer();
    const env = {
      MICRO_REGISTRY: 'nats',
      MICRO_TRANSPORT: 'nats',
      MICRO_BROKER: 'nats',
      MICRO_NATS_ADDRESS: ` ${server.address} `,
      MICRO_SERVER_ID: 'by-environment',
    };
    await using greeter = await GreeterProcess.serve([], env);
    expect(greeter.id).toBe('greeter-by-environment');
    await using other = await GreeterProcess.serve(['--server_id=by-flag'], env);
    expect(other.id).toBe('greeter-by-flag');
    const specific = {
      MICRO_REGISTRY: 'nats',
      MICRO_REGISTRY_ADDRESS: `${await refusedAddress()},nats://${server.address}`,
      MICRO_TRANSPORT: 'nats',
      MICRO_TRANSPORT_ADDRESS: server.address,
    };
    expect(await GreeterProcess.call(['--name=John'], specific)).toMatchObject({ code: 0, stdout: ['Hello John'] });
    expect(await GreeterProcess.call(natsFlags(server.address), { MICRO_NATS_ADDRESS: 'no.such.host' })).toMatchObject({
      code: 0,
    });
  });

  test('shows the error of a handler by its detail', async () => {
    await using server = await startNatsServer();
    await using peer = await BarePeer.connect(server.url);
    await using _responder = await BareGreeter.start(peer, (request) => [
      request.failure('{"id":"greeter","code":404,"detail":"no John here","status":"Not Found"}'),
    ]);
    expectOneLine(await GreeterProcess.call([...natsFlags(server.address), '--name=John']), /: no John here$/);
  });
});

describe('nobody there', () => {
  test.each([
    ['a call', []],
    ['many calls', ['--calls=1000', '--concurrency=4']],
  ])('ends %s with one line when no service is registered', async (_, parameters) => {
    await using server = await startNatsServer();
    const outcome = await GreeterProcess.call([...natsFlags(server.address), ...parameters]);
    expectOneLine(outcome, /greeter/);
  });

  test.each([
    ['a call', []],
    ['many calls', ['--calls=1000', '--concurrency=4']],
  ])('ends %s with one line when NATS is not reachable', async (_, parameters) => {
    const address = await refusedAddress();
    const outcome = await GreeterProcess.call([...natsFlags(address), ...parameters]);
    expectOneLine(outcome, new RegExp(address));
  });

  test('ends a call with one line when the registered node is dead', async () => {
    await using server = await startNatsServer();
    await using peer = await BarePeer.connect(server.url);
    await using responder = await BareGreeter.start(peer, () => []);
    responder.deafen();
    expectOneLine(await GreeterProcess.call(natsFlags(server.address)), /greeter/);
  });

  test('ends the start of a server with one line', async () => {
    const address = await refusedAddress();
    await using greeter = new GreeterProcess('server', natsFlags(address));
    const { code, stdout, stderr } = await greeter.ended();
    expect({ code, stdout, lines: stderr.length }).toEqual({ code: 1, stdout: [], lines: 1 });
    expect(stderr[0]).toContain(address);
  });
});

describe('mistakes on the command line', () => {
  test.each([
    ['an unknown plugin', ['--registry=consul'], /--registry=consul: .*memory, nats/],
    ['an unknown flag', ['--registry_adress=x'], /did you mean --registry_address/],
    ['a bad number', ['--client_retries=many'], /--client_retries=many/],
    ['a bad address', ['--registry=nats', '--registry_address=http://x'], /http/],
    ['a bad count', ['--calls=-1'], /--calls.*-1/],
  ])('such as %s are told in one line', async (_, parameters, pattern) => {
    expectOneLine(await GreeterProcess.call(parameters), pattern);
  });
});

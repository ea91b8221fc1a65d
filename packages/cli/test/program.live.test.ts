import { startNatsServer } from '@ts-micro/testkit/nats';
import { expect, it } from 'vitest';
import { Fleet } from './program/fleet.ts';
import { SpawnedProgram } from './program/spawned-program.ts';

// A program takes a second to start, and on a loaded machine several.
const patience = { timeout: 30_000, interval: 50 };

it('the program exits with a code, prints results to standard output, and one line to standard error', async () => {
  await using server = await startNatsServer();
  using program = new SpawnedProgram(server.address);
  await using fleet = new Fleet(server.address);
  await fleet.greeter('one');
  const words = ['call', 'greeter', 'Greeter.Hello'];
  const [called, piped, usage, missing, elsewhere] = await Promise.all([
    program.run([...words, '{"name":"John"}', '--json']),
    program.run([...words, '-', '--json'], '{"name":"Ann"}'),
    program.run([...words, '{name}']),
    program.run(['call', 'greter', 'Greeter.Hello']),
    program.run(['services', '--nats_address=127.0.0.1:1']),
  ]);
  expect(called).toEqual({ code: 0, out: '{"msg":"Hello John","from":"one"}\n', err: '' });
  expect(piped).toEqual({ code: 0, out: '{"msg":"Hello Ann","from":"one"}\n', err: '' });
  for (const { result, code, line } of [
    { result: usage, code: 2, line: /^ts-micro: the body is not JSON .*\n$/ },
    { result: missing, code: 3, line: /^ts-micro: no service is called "greter"; did you mean greeter\? .*\n$/ },
    {
      result: elsewhere,
      code: 4,
      line: /^ts-micro: nats: connecting to 127\.0\.0\.1:1: .*--nats_address=HOST:PORT\b.*\n$/,
    },
  ]) {
    expect(result).toMatchObject({ code, out: '' });
    expect(result?.err).toMatch(line);
  }
}, 90_000);

it('the program ends at Ctrl-C, with what it has printed so far', async () => {
  await using server = await startNatsServer();
  using program = new SpawnedProgram(server.address);
  await using fleet = new Fleet(server.address);
  await fleet.greeter('one');
  const watch = program.start('watch');
  await expect.poll(() => watch.out, patience).toContain('greeter-one');
  expect(await watch.interrupt()).toMatchObject({ code: 0, err: '' });
  const call = program.start('call', 'greeter', 'Greeter.Never', '{}', '--timeout', '60s');
  await expect.poll(() => fleet.waiting, patience).toBe(1);
  expect((await call.interrupt()).code).toBe(130);
}, 90_000);

it.each([
  ['watch', ['watch']],
  ['subscribe', ['subscribe', 'greeter.told']],
])(
  '%s ends once nobody reads what it prints',
  async (_, words) => {
    await using server = await startNatsServer();
    using program = new SpawnedProgram(server.address);
    await using fleet = new Fleet(server.address);
    await fleet.greeter('one');
    const run = program.start(...words);
    await expect.poll(() => `${run.out}${run.err}`, patience).toMatch(/greeter/);
    run.leave();
    let hasEnded = false;
    const ended = run.ended.finally(() => {
      hasEnded = true;
    });
    for (let news = 0; !hasEnded; news++) {
      const service = await fleet.greeter(`news-${news}`);
      await fleet.broker.publish('greeter.told', { headers: {}, body: new TextEncoder().encode('{}') });
      await service.stop();
    }
    expect(await ended).toMatchObject({ code: 0 });
  },
  90_000,
);

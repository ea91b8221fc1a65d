import '@ts-micro/memory/register';
import '@ts-micro/broker-nats/register';
import '@ts-micro/registry-nats/register';
import '@ts-micro/transport-nats/register';
import { parseArgs } from 'node:util';
import { MicroError } from '@ts-micro/core';
import { typedClient } from '@ts-micro/definition';
import { type Client, createClient, fromFlags } from '@ts-micro/service';
import { greeter } from './greeter-definition.ts';
import { runToEnd } from './run-to-end.ts';

// Calls the greeter, chosen by flags: `node client.js --registry=nats --transport=nats --broker=nats --name=John`.
await runToEnd('greeter client', async (stopRequested) => {
  await using plugins = fromFlags(process.argv, process.env);
  const { name, calls, concurrency } = readArguments(plugins.rest.slice(2));
  await using client = createClient(plugins);
  if (calls === undefined) console.log(await hello(client, name, stopRequested));
  else await manyHellos(client, name, calls, concurrency, stopRequested);
});

async function hello(client: Client, name: string, signal: AbortSignal): Promise<string> {
  const { msg } = await typedClient(client, greeter).Greeter.Hello({ name }, { timeoutMs: 2_000, signal });
  return msg;
}

async function manyHellos(client: Client, name: string, calls: number, concurrency: number, signal: AbortSignal) {
  const answeredBy = new Map<string, number>();
  const failures = new Map<string, number>();
  client.use(async (call, next) => {
    const response = await next();
    count(answeredBy, call.node?.id ?? 'unknown');
    return response;
  });
  const greet = typedClient(client, greeter);
  let left = calls;
  const nobodyThere = new AbortController();
  const either = AbortSignal.any([signal, nobodyThere.signal]);
  const caller = async () => {
    while (left-- > 0) {
      try {
        // The definition says that it is idempotent, so that a node that fails costs no call.
        await greet.Greeter.Hello({ name }, { attemptTimeoutMs: 1_000, timeoutMs: 2_000, signal: either });
      } catch (error) {
        count(failures, MicroError.is(error) ? error.code : 'internal');
        // With nobody there at all, a thousand more attempts would only say the same more slowly.
        if (answeredBy.size === 0) {
          nobodyThere.abort();
          throw error;
        }
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  console.log(`ok ${total(answeredBy)} failed ${total(failures)}`);
  for (const [id, answers] of [...answeredBy].sort()) console.log(`  ${answers} by ${id}`);
  for (const [code, times] of failures) console.log(`  ${times} failed: ${code}`);
  if (failures.size > 0) process.exitCode = 1;
}

function readArguments(rest: readonly string[]) {
  const options = { name: { type: 'string' }, calls: { type: 'string' }, concurrency: { type: 'string' } } as const;
  const { values } = parseArgs({ args: [...rest], options });
  return {
    name: values.name ?? 'John',
    calls: values.calls === undefined ? undefined : positive('calls', values.calls),
    concurrency: positive('concurrency', values.concurrency ?? '1'),
  };
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new MicroError('invalid', `--${flag}: "${text}" is not a positive whole number`);
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, value) => sum + value, 0);
}

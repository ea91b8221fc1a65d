import { type AbortOptions, MicroError } from '@ts-micro/core';
import { pause, throwIfAborted } from '@ts-micro/kit';
import { mapNatsError } from '../error.ts';
import type { NatsConnection } from './connection.ts';
import { dialServer, reconnectJitterMs, reconnectWaitMs } from './dial-server.ts';
import { checkNatsOptionNames, checkNatsOptions, type NatsOptions, type NatsSettings } from './nats-options.ts';

/**
 * Connects to NATS; reconnects without end from then on.
 *
 * The caller owns the connection: plugins given it as `{ connection }` borrow it, and none of them closes it.
 * Errors: `invalid` (an option), `unauthorized` (every server refused, told at once), `unavailable` (no server within
 * `connectTimeoutMs`,
 * or some refused and the others are not there), or as the signal aborts. The message has each server and its own
 * words.
 */
export async function connectNats(options: NatsOptions = {}): Promise<NatsConnection> {
  checkNatsOptionNames(options);
  const settings = checkNatsOptions(options);
  const { signal } = options;
  throwIfAborted(signal, 'nats: connecting');
  for (;;) {
    try {
      return await connectOnce(settings, { signal });
    } catch (error) {
      const isLater = settings.waitForFirstConnect && MicroError.is(error, 'unavailable');
      if (!isLater) throw error;
      settings.logger.debug('nats server not reached, trying again', { error });
    }
    await pause(reconnectWaitMs + Math.random() * reconnectJitterMs, { signal });
    throwIfAborted(signal, 'nats: connecting');
  }
}

/** Tries each server in turn, each with its share of the time that is left. */
async function connectOnce(settings: NatsSettings, { signal }: AbortOptions): Promise<NatsConnection> {
  const servers = shuffled(settings.servers);
  const deadline = performance.now() + settings.connectTimeoutMs;
  const failures: MicroError[] = [];
  for (const [index, server] of servers.entries()) {
    const budgetMs = Math.max(1, (deadline - performance.now()) / (servers.length - index));
    try {
      return await dialServer(server, servers, settings, budgetMs, signal);
    } catch (error) {
      const failure = mapNatsError(error, `nats: connecting to ${server.address}`);
      if (signal?.aborted) throw failure;
      failures.push(failure);
    }
  }
  const [first] = failures;
  if (first !== undefined && failures.length === 1) throw first;
  const code = failures.every((failure) => failure.code === first?.code) ? first?.code : 'unavailable';
  throw new MicroError(code ?? 'unavailable', failures.map((failure) => failure.message).join('; '), {
    cause: new AggregateError(failures),
    retrySafe: true,
  });
}

function shuffled<T>(items: readonly T[]): T[] {
  const keyed = items.map((item) => ({ item, key: Math.random() }));
  return keyed.sort((left, right) => left.key - right.key).map(({ item }) => item);
}

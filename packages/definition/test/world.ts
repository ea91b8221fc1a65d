import type { Broker, LogFields, Logger, Registry, Transport } from '@ts-micro/core';
import { type Client, createClient, createService, type Service } from '@ts-micro/service';

/** Plugins that see nobody else's. */
interface PluginSet extends AsyncDisposable {
  readonly transport: Transport;
  readonly broker: Broker;
  readonly registry: Registry;
}

export type OpenPlugins = (dialect: 'auto' | 'go') => Promise<PluginSet>;

interface LogLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: LogFields;
}

/** A running service `greeter` and a client, over the same plugins. */
export interface World extends AsyncDisposable {
  readonly service: Service;
  readonly client: Client;
  readonly log: readonly LogLine[];
}

export async function startWorld(
  open: OpenPlugins,
  dialect: 'auto' | 'go',
  configure: (service: Service) => void,
): Promise<World> {
  const plugins = await open(dialect);
  const log: LogLine[] = [];
  const service = createService({
    name: 'greeter',
    version: '1.0.0',
    stopTimeoutMs: 2000,
    dialect,
    logger: recorder(log),
    ...plugins,
  });
  configure(service);
  await service.start();
  const client = createClient({ ...plugins, dialect });
  return {
    service,
    client,
    log,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await service.stop();
      await plugins[Symbol.asyncDispose]();
    },
  };
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not reject');
}

export async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

function recorder(log: LogLine[]): Logger {
  const at =
    (level: keyof Logger) =>
    (message: string, fields: LogFields = {}) => {
      log.push({ level, message, fields });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

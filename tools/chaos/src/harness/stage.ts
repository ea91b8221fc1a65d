import { type Client, createClient } from '@ts-micro/service';
import { type NatsServer, startNatsServer } from '@ts-micro/testkit/nats';
import { Fleet } from './fleet.ts';
import { Ledger } from './ledger.ts';
import { Parts } from './parts.ts';
import { connectPlugins, type Plugins } from './plugins.ts';
import type { ServiceSettings } from './service-settings.ts';

export interface StageOptions extends Partial<Omit<ServiceSettings, 'id' | 'servers' | 'executions'>> {
  /** How many processes of the service. @default 3 */
  readonly nodes?: number | undefined;
}

/** Processes of the service on servers that are there, and a client here. */
export interface Stage extends AsyncDisposable {
  readonly fleet: Fleet;
  readonly plugins: Plugins;
  readonly client: Client;
  /** What ran, by the number of the request. */
  readonly executions: Ledger;
}

export interface ServerStage extends Stage {
  readonly server: NatsServer;
}

/** The same with a server of its own. */
export async function openServerStage(options: StageOptions = {}): Promise<ServerStage> {
  const parts = new Parts();
  try {
    const server = parts.use(await startNatsServer());
    const stage = parts.use(await openStage(server.address, options));
    return { ...stage, server, [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose]() };
  } catch (error) {
    await parts[Symbol.asyncDispose]();
    throw error;
  }
}

export async function openStage(servers: string, options: StageOptions = {}): Promise<Stage> {
  const { nodes = 3, ...settings } = options;
  const parts = new Parts();
  try {
    const executions = parts.use(new Ledger());
    const fleet = parts.use(await Fleet.start(nodes, { servers, ...settings, executions: executions.file }));
    const plugins = parts.use(await connectPlugins(servers, 'chaos'));
    const client = parts.use(createClient({ ...plugins }));
    return { fleet, plugins, client, executions, [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose]() };
  } catch (error) {
    await parts[Symbol.asyncDispose]();
    throw error;
  }
}

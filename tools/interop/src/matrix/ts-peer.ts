import { natsBroker } from '@ts-micro/broker-nats';
import { type Broker, type Logger, MicroError, type Registry, type Transport } from '@ts-micro/core';
import { natsRegistry } from '@ts-micro/registry-nats';
import { type Client, createClient, type Service, type ServiceOptions } from '@ts-micro/service';
import { natsTransport } from '@ts-micro/transport-nats';
import { createGreeter } from '@ts-micro-examples/greeter';
import { type ClientLibrary, connectWith } from './client-library.ts';
import { Resources } from './resources.ts';
import { stringOf, stringValue } from './string-value.ts';

export interface TsPeerOptions extends Partial<Pick<ServiceOptions, 'name' | 'version' | 'id' | 'registerIntervalMs'>> {
  readonly address: string;
  readonly library: ClientLibrary;
  /** Where warnings and errors of our side are collected. */
  readonly complaints: string[];
  /** Makes the plugins where they are not those of NATS. They close with the peer. */
  readonly makePlugins?: ((logger: Logger) => Plugins) | undefined;
}

export interface Plugins {
  readonly transport: Transport;
  readonly broker: Broker;
  readonly registry: Registry;
}

/**
 * Everything a TypeScript process has: plugins on a connection of its own, a client, and a greeter where it was asked
 * for.
 */
export class TsPeer implements AsyncDisposable {
  readonly transport: Transport;
  readonly broker: Broker;
  readonly registry: Registry;
  readonly client: Client;
  /** The texts of the `greeter.say` events that fell to it. */
  readonly said: string[] = [];
  readonly #resources: Resources;
  readonly #options: TsPeerOptions;
  #service: Service | undefined;

  /** Plugins and a client. */
  static async open(options: TsPeerOptions): Promise<TsPeer> {
    const resources = new Resources();
    const logger = complainTo(options.complaints);
    if (options.makePlugins !== undefined) return new TsPeer(options, options.makePlugins(logger), resources);
    const { connection, close } = await connectWith(options.library, options.address);
    resources.use({ [Symbol.asyncDispose]: close });
    const plugins = {
      transport: natsTransport({ connection, logger }),
      broker: natsBroker({ connection, logger }),
      registry: natsRegistry({ connection, logger }),
    };
    return new TsPeer(options, plugins, resources);
  }

  /** The same, and a running greeter with the endpoints besides that only the matrix needs. */
  static async serve(options: TsPeerOptions): Promise<TsPeer> {
    const peer = await TsPeer.open(options);
    try {
      await peer.#serve();
    } catch (error) {
      await peer[Symbol.asyncDispose]();
      throw error;
    }
    return peer;
  }

  constructor(options: TsPeerOptions, { transport, broker, registry }: Plugins, resources: Resources) {
    this.#options = options;
    this.#resources = resources;
    this.transport = resources.use(transport);
    this.broker = resources.use(broker);
    this.registry = resources.use(registry);
    this.client = resources.use(createClient({ ...this.plugins, logger: complainTo(options.complaints) }));
  }

  get plugins(): Plugins {
    return { transport: this.transport, broker: this.broker, registry: this.registry };
  }

  get service(): Service {
    if (this.#service === undefined) throw new Error('this peer serves nothing');
    return this.#service;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources[Symbol.asyncDispose]();
  }

  async #serve(): Promise<void> {
    const { address, library, complaints, makePlugins, ...service } = this.#options;
    const greeter = createGreeter({ ...this.plugins, ...service, logger: complainTo(complaints) }, (text) =>
      this.said.push(text),
    );
    this.#resources.use(greeter.client);
    greeter.service.handle('Greeter.Context', (_request, { metadata, deadline }) => ({
      metadata,
      remainingMs: deadline === undefined ? -1 : deadline - Date.now(),
    }));
    greeter.service.handle('Greeter.Large', ({ size }: { size: number }) => 'x'.repeat(size));
    greeter.service.handle('Greeter.TimeOut', () => {
      throw new MicroError('timeout', 'greeter: something behind it took too long');
    });
    greeter.service.handle('Greeter.Proto', (request: Uint8Array) => {
      const text = stringOf(request);
      if (text === 'fail') throw new MicroError('not_found', 'told to fail');
      return stringValue(`Hello ${text}`);
    });
    greeter.service.handleStream('Greeter.FailAfter', async (stream) => {
      await stream.send(await stream.receive());
      throw new MicroError('remote', 'greeter: enough', {
        remote: { id: 'greeter', code: 409, detail: 'enough', status: 'Conflict' },
      });
    });
    this.#service = this.#resources.use(greeter.service);
    await greeter.service.start();
  }
}

function complainTo(complaints: string[]): Logger {
  const complain = (message: string, fields?: object): void => {
    complaints.push(
      `${message} ${JSON.stringify(fields ?? {}, (_key, value) => (value instanceof Error ? value.message : value))}`,
    );
  };
  return { debug: () => undefined, info: () => undefined, warn: complain, error: complain };
}

import { natsBroker } from '@ts-micro/broker-nats';
import type { ServiceRecord } from '@ts-micro/core';
import { natsRegistry } from '@ts-micro/registry-nats';
import { createCodecs, createService, type Service, type ServiceOptions } from '@ts-micro/service';
import { natsTransport } from '@ts-micro/transport-nats';

const name = { name: 'name', type: 'string', values: [] };
const message = { name: 'msg', type: 'string', values: [] };

const bytesAsTheyAre = createCodecs([
  { contentType: 'application/json', encode: (value) => value as Uint8Array, decode: (body) => body.slice() },
]);

/** Services on a NATS server, for the program to look at. */
export class Fleet implements AsyncDisposable {
  readonly #plugins: Pick<ServiceOptions, 'transport' | 'broker' | 'registry'> & {
    readonly broker: ReturnType<typeof natsBroker>;
    readonly registry: ReturnType<typeof natsRegistry>;
  };
  readonly #services: Service[] = [];
  readonly #ending: { readonly promise: Promise<void>; readonly resolve: () => void } = ending();
  /** What the greeters were told on `greeter.say`. */
  readonly said: unknown[] = [];
  /** How many calls of `Greeter.Never` there were; they end with the fleet. */
  waiting = 0;

  constructor(servers: string) {
    this.#plugins = {
      transport: natsTransport({ servers }),
      broker: natsBroker({ servers }),
      registry: natsRegistry({ servers }),
    };
  }

  get broker(): ReturnType<typeof natsBroker> {
    return this.#plugins.broker;
  }

  /** Starts a greeter; stop it yourself, or leave that to the fleet. */
  async greeter(id: string, version = '1.0.0'): Promise<Service> {
    const service = createService({ name: 'greeter', id, version, drainGraceMs: 0, ...this.#plugins });
    service.handle(
      'Greeter.Hello',
      ({ name: who }: { readonly name: string }, { metadata }) => {
        if (who === '') throw new Error('a name is needed');
        return { msg: `Hello ${who}`, from: id, ...(metadata.Tenant && { tenant: metadata.Tenant }) };
      },
      {
        request: { name: 'HelloRequest', type: 'HelloRequest', values: [name] },
        response: { name: 'HelloResponse', type: 'HelloResponse', values: [message] },
      },
    );
    service.handle('Greeter.Mirror', (request: unknown) => request, { codecs: bytesAsTheyAre });
    // A handler that ended by its own deadline could answer before the caller's passes.
    service.handle('Greeter.Never', () => {
      this.waiting++;
      return this.#ending.promise;
    });
    service.handle('Debug.Nothing', () => undefined, { internal: true });
    service.handleStream<{ readonly twice: number }, { readonly value: number }>('Greeter.Double', async (stream) => {
      for await (const { value } of stream) await stream.send({ twice: value * 2 });
    });
    service.subscribe('greeter.say', (event: unknown) => void this.said.push(event), { queue: 'greeter' });
    await service.start();
    this.#services.push(service);
    return service;
  }

  /** Registers a record as it is. */
  register(record: ServiceRecord): Promise<void> {
    return this.#plugins.registry.register(record);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.resolve();
    await Promise.all(this.#services.map((service) => service.stop()));
    const { transport, broker, registry } = this.#plugins;
    await Promise.all([transport.close(), broker.close(), registry?.close()]);
  }
}

function ending(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

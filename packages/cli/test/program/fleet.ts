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
  /** What the greeters were told on `greeter.say`. */
  readonly said: unknown[] = [];
  /** Calls of `Greeter.Never` that are under way. */
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
    service.handle('Greeter.Never', async (_request: unknown, { signal }) => {
      this.waiting++;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      this.waiting--;
    });
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
    await Promise.all(this.#services.map((service) => service.stop()));
    const { transport, broker, registry } = this.#plugins;
    await Promise.all([transport.close(), broker.close(), registry?.close()]);
  }
}

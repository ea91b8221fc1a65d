import { type ServiceInfo, type ServiceStats, Svcm } from '@nats-io/services';
import { connect, type NatsConnection, headers as natsHeaders } from '@nats-io/transport-node';
import { memoryNetwork, memoryTransport } from '@ts-micro/memory';
import { createService, type Service, type ServiceOptions } from '@ts-micro/service';
import { type NatsServer, type NatsServerOptions, startNatsServer } from '@ts-micro/testkit/nats';
import { type NatsServices, type NatsServicesOptions, natsServices } from '../src/index.ts';

/** What a plain NATS client gets for a request. */
export interface PlainAnswer {
  readonly text: string;
  readonly error: string;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface InstanceOptions {
  readonly service?: Partial<ServiceOptions>;
  readonly nats?: NatsServicesOptions;
}

/** A nats-server, services on it that NATS' clients see, and such a client. */
export class PlainWorld implements AsyncDisposable {
  readonly server: NatsServer;
  readonly client: NatsConnection;
  readonly #transport = memoryTransport({ network: memoryNetwork() });
  readonly #services: Service[] = [];

  private constructor(server: NatsServer, client: NatsConnection) {
    this.server = server;
    this.client = client;
  }

  /** Starts the server and connects the client, as who is given. */
  static async start(options: NatsServerOptions = {}, user?: { user: string; pass: string }): Promise<PlainWorld> {
    const server = await startNatsServer(options);
    const wait = { reconnectTimeWait: 50, maxReconnectAttempts: -1 };
    try {
      return new PlainWorld(server, await connect({ servers: server.address, noAsyncTraces: true, ...wait, ...user }));
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A service that is not started yet, over a transport of memory. */
  make(configure: (service: Service) => void, options: InstanceOptions = {}): [Service, NatsServices] {
    const service = createService({
      name: 'greeter',
      version: '1.2.0',
      transport: this.#transport,
      drainGraceMs: 0,
      ...options.service,
    });
    configure(service);
    const shown = natsServices(service, { servers: this.server.address, ...options.nats });
    this.#services.push(service);
    return [service, shown];
  }

  /** The same, started. */
  async add(configure: (service: Service) => void, options: InstanceOptions = {}): Promise<[Service, NatsServices]> {
    const made = this.make(configure, options);
    await made[0].start();
    return made;
  }

  /** A plain request, as any NATS client sends it. */
  async ask(
    subject: string,
    body: string | Uint8Array,
    headers: Record<string, string> = {},
    timeout = 20_000,
  ): Promise<PlainAnswer> {
    const sent = natsHeaders();
    for (const [name, value] of Object.entries(headers)) sent.set(name, value);
    const answer = await this.client.request(subject, body, { timeout, headers: sent });
    const received = Object.fromEntries(
      (answer.headers?.keys() ?? []).map((name) => [name, answer.headers?.get(name)]),
    );
    const { 'Nats-Service-Error': error = '', 'Nats-Service-Error-Code': code = '' } = received;
    return { text: answer.string(), error, code, headers: received as Record<string, string> };
  }

  /** What the answer of one instance to `$SRV` says. */
  async one<T = ServiceInfo & ServiceStats>(subject: string): Promise<T> {
    return (await this.client.request(subject, '', { timeout: 20_000 })).json<T>();
  }

  /** The answers of so many instances, as the client library of NATS finds them. */
  async found(verb: 'ping' | 'info' | 'stats', count: number, name?: string, id?: string): Promise<unknown[]> {
    const looking = new Svcm(this.client as never).client({
      strategy: 'count',
      maxMessages: count,
      maxWait: 20_000,
    } as never);
    const answers: unknown[] = [];
    for await (const answer of await looking[verb](name, id)) answers.push(answer);
    return answers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#services.map((service) => service.stop()));
    await this.#transport.close();
    await this.client.close();
    await this.server[Symbol.asyncDispose]();
  }
}

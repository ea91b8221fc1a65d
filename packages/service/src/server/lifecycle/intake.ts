import {
  type AbortOptions,
  type Listener,
  type MicroError,
  type NodeRecord,
  type ServiceRecord,
  type Socket,
  serviceRecord,
} from '@ts-micro/core';
import { OwnContext } from '@ts-micro/kit';
import type { Events } from '../events/events.ts';
import type { ServiceCore } from '../serve/service-core.ts';
import { SocketServer } from '../serve/socket-server.ts';
import type { CheckedServiceOptions } from '../service-options.ts';
import { Gateways } from './gateways.ts';
import { KeptOpen } from './kept-open.ts';
import { endpointRecords, nodeRecord } from './node-record.ts';
import { Registration } from './registration.ts';

/** How long a refused answer is told of. */
const refusedAnswerMs = 60_000;

/**
 * The ways by which work comes to a service: its listener, its subscriptions, its gateways, and the place in the
 * registry by which it is found.
 */
export class Intake {
  readonly #options: CheckedServiceOptions;
  readonly #core: ServiceCore;
  readonly #events: Events;
  readonly #sockets = new Set<SocketServer>();
  readonly gateways: Gateways;
  readonly #onChange = () => this.#follow();
  #listener: KeptOpen<Listener> | undefined;
  #registration: Registration | undefined;
  #node: NodeRecord | undefined;
  #isOpen = false;
  #refusedAnswer: { readonly error: MicroError; readonly atMs: number } | undefined;

  constructor(options: CheckedServiceOptions, core: ServiceCore, events: Events) {
    this.#options = options;
    this.#core = core;
    this.#events = events;
    this.gateways = new Gateways(core);
  }

  /** True from the moment it listens until all is released. */
  get isServing(): boolean {
    return this.#listener?.current !== undefined;
  }

  get sockets(): ReadonlySet<SocketServer> {
    return this.#sockets;
  }

  get registration(): Registration | undefined {
    return this.#registration;
  }

  get node(): NodeRecord | undefined {
    return this.#node;
  }

  get record(): ServiceRecord {
    const { name, version } = this.#options;
    return serviceRecord({
      name,
      version,
      endpoints: endpointRecords(this.#core.routes.all(), this.#events.all),
      nodes: this.#node === undefined ? [] : [this.#node],
    });
  }

  /** Why requests or events do not come in, in words. */
  get problems(): readonly string[] {
    const problem = this.#listener?.problem;
    return problem === undefined ? this.#events.problems : [problem, ...this.#events.problems];
  }

  /** Why an answer did not go out lately, in words. That may be about its caller alone. */
  get refusedAnswer(): string | undefined {
    const { error, atMs } = this.#refusedAnswer ?? {};
    if (error === undefined || performance.now() - (atMs ?? 0) > refusedAnswerMs) return undefined;
    return `an answer was refused: ${error.message}`;
  }

  /** True where the transport was closed, so that no request can come in any more. */
  get isLostForGood(): boolean {
    return this.#listener?.isLostForGood ?? false;
  }

  /**
   * Listens, subscribes, opens the gateways, and only then registers. Where it rejects, {@link release} closes what it
   * opened.
   */
  async open(signal: AbortSignal): Promise<void> {
    const { name, broker, registry, registerIntervalMs, registerTtlMs, logger } = this.#options;
    // What opens a socket may itself belong to some request; handlers belong to the start.
    const root = new OwnContext();
    this.#listener = new KeptOpen<Listener>({
      what: 'the listener',
      service: name,
      open: (options) => this.#listen(root, options),
      onChange: this.#onChange,
      logger,
    });
    await this.#listener.begin({ signal });
    if (broker !== undefined) await this.#events.open(broker, this.#onChange, { signal });
    await this.gateways.open(signal);
    if (registry !== undefined) {
      const init = { registry, intervalMs: registerIntervalMs, ttlMs: registerTtlMs, logger };
      this.#registration = new Registration(init, this.record);
      await this.#registration.begin({ signal });
    }
    this.#isOpen = true;
    this.#follow();
  }

  /** Gives the place in the registry up and closes everything. Never rejects; it can be opened again. */
  async release(signal: AbortSignal): Promise<void> {
    this.#isOpen = false;
    await this.#registration?.end({ signal });
    await Promise.all([this.#listener?.end({ signal }), this.#events.close({ signal }), this.gateways.close(signal)]);
    this.#registration = undefined;
    this.#listener = undefined;
  }

  /** A service that cannot be reached must not be found. */
  #follow(): void {
    if (!this.#isOpen) return;
    if (this.problems.length > 0) this.#registration?.withdraw();
    else this.#registration?.renew(this.record);
  }

  /** Listens where it did before, so that whoever knows the address is right again. */
  async #listen(root: OwnContext, options: AbortOptions): Promise<Listener> {
    const { name, id, transport, broker, registry, address, advertise, metadata, dialect } = this.#options;
    const before = transport.supports.namedAddresses ? this.#listener?.current?.address : undefined;
    const listener = await transport.listen(address ?? before, options);
    // What a first socket asks for may be the node.
    this.#node = nodeRecord({
      id: `${name}-${id}`,
      address: advertise ?? listener.address,
      metadata,
      dialect,
      listener,
      transport,
      broker,
      registry,
    });
    try {
      await listener.accept((socket) => root.runInAsyncScope(this.#serve, this, socket), options);
    } catch (error) {
      await listener.close();
      throw error;
    }
    return listener;
  }

  /** Its caller cannot be told. */
  #onRefusedAnswer(error: MicroError): void {
    this.#refusedAnswer = { error, atMs: performance.now() };
    this.#core.limitedLogger.warn('answer refused', { service: this.#core.name, error });
  }

  async #serve(socket: Socket): Promise<void> {
    const server = new SocketServer(this.#core, socket, (message, context) => this.#events.relay(message, context));
    this.#sockets.add(server);
    void socket.closed.then((cause) => {
      if (cause?.code === 'unauthorized') this.#onRefusedAnswer(cause);
    });
    await server.run();
    this.#sockets.delete(server);
  }
}

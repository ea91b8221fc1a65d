import { natsBroker } from '@ts-micro/broker-nats';
import type { Broker, Listener, Logger, Registry, Socket, Transport } from '@ts-micro/core';
import { type MemoryNetwork, memoryBroker, memoryRegistry, memoryTransport } from '@ts-micro/memory';
import { natsRegistry } from '@ts-micro/registry-nats';
import { natsTransport } from '@ts-micro/transport-nats';
import type { Setting } from '../programs/program.ts';
import type { Machine } from './machine.ts';
import { SimulatedNatsConnection } from './nats-connection.ts';
import type { World } from './world.ts';

/** A process: a machine, its connection, and the plugins on it. */
export class SimulatedProcess {
  readonly machine: Machine;
  readonly connection: SimulatedNatsConnection | undefined;
  readonly transport: Transport;
  readonly broker: Broker;
  readonly registry: Registry;
  /** Sockets it dialled that are open. */
  readonly sockets: Set<Socket> = new Set();
  /** Sockets that came in whose handler still runs. */
  accepted = 0;
  /** It was told to stop. */
  isLeaving = false;
  /** When something last kept it from being reached, or from running. */
  disturbedUntilMs = 0;
  /** Told of every address it dials. */
  onDial: (address: string) => void = () => {};

  constructor(world: World, machine: Machine, setting: Setting, logger: Logger) {
    this.machine = machine;
    if (world.server !== undefined) {
      this.connection = new SimulatedNatsConnection(world.server, world.clock, this.machine);
      const { dialect, idleTimeoutMs, interop } = setting;
      const { connection } = this;
      this.transport = natsTransport({ connection, logger, dialect, idleTimeoutMs });
      this.broker = natsBroker({ connection, logger });
      // By default a lookup leaves out who answers 25 ms after the others.
      this.registry = natsRegistry({
        connection,
        logger,
        dialect: interop ? 'go' : 'native',
        quietMs: 25 + 4 * setting.latencyMs,
      });
    } else {
      const network = world.network as MemoryNetwork;
      this.transport = memoryTransport({ network, logger });
      this.broker = memoryBroker({ network, logger });
      this.registry = memoryRegistry({ network });
    }
    this.#watchTransport();
  }

  /** Closes what it owns. */
  async close(): Promise<void> {
    await Promise.all([this.transport.close(), this.broker.close(), this.registry.close()]);
  }

  /**
   * Counts what is opened through the transport, in the place of its own methods, so that its objects stay what they
   * are.
   */
  #watchTransport(): void {
    const { transport } = this;
    const dial = transport.dial.bind(transport);
    const listen = transport.listen.bind(transport);
    transport.dial = async (address, options) => {
      this.onDial(address);
      const socket = await dial(address, options);
      this.sockets.add(socket);
      void socket.closed.then(() => this.sockets.delete(socket));
      return socket;
    };
    transport.listen = async (address, options) => {
      const listener = await listen(address, options);
      const accept = listener.accept.bind(listener);
      const watched: Listener['accept'] = (handler, acceptOptions) =>
        accept(async (socket) => {
          this.accepted++;
          try {
            await handler(socket);
          } finally {
            this.accepted--;
          }
        }, acceptOptions);
      listener.accept = watched;
      return listener;
    };
  }
}

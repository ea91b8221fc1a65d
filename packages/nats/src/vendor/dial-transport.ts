import { createConnection, type Socket } from 'node:net';
import type { ConnectionOptions } from 'nats';
import { setTransportFactory } from 'nats/lib/nats-base-client/transport.js';
import { NodeTransport, nodeResolveHost } from 'nats/lib/src/node_transport.js';

/** What the client hands on to its transport. */
export interface DialOptions extends ConnectionOptions {
  /** Calls the dial off. */
  readonly abandoned?: AbortSignal | undefined;
  /** Told when the link has ended after its dial, which the client does not notice while it waits for the server's first words. */
  readonly onEnd?: ((error: unknown) => void) | undefined;
}

type Server = Parameters<NodeTransport['connect']>[0];

/** The client's transport, but that a dial which fails or is called off lets go of its socket: 2.29 keeps it until the peer closes it. */
class DialTransport extends NodeTransport {
  #dialled: Socket | undefined;
  readonly #letGo = () => void this.#dialled?.destroy();

  override async connect(server: Server, options: DialOptions): Promise<void> {
    const { abandoned, onEnd } = options;
    if (abandoned?.aborted) throw abandoned.reason;
    abandoned?.addEventListener('abort', this.#letGo, { once: true });
    const forget = () => abandoned?.removeEventListener('abort', this.#letGo);
    try {
      await super.connect(server, options);
    } catch (error) {
      // In an outage there is a dial every moment, on one signal.
      forget();
      throw error;
    }
    void this.closed().then((error) => {
      forget();
      onEnd?.(error);
    });
  }

  /** As the client does it, with a hold on the socket. */
  override dial({ hostname, port }: Pick<Server, 'hostname' | 'port'>): Promise<Socket> {
    return new Promise((resolve, reject) => {
      let cause: Error | undefined;
      const socket = createConnection({ host: hostname, port, noDelay: true }, () => {
        socket.removeAllListeners();
        resolve(socket);
      });
      this.#dialled = socket;
      socket.on('error', (error) => {
        cause = error;
      });
      socket.on('close', () => {
        socket.removeAllListeners();
        reject(cause);
      });
    });
  }

  /** The client's own makes a promise for every write, which nobody looks at. */
  override send(frame: Uint8Array): void {
    if (!this.isClosed) this.socket?.write(frame);
  }

  override close(error?: Error): Promise<void> {
    // Until it is connected the client's own close does nothing.
    if (!this.connected) this.#letGo();
    return super.close(error);
  }
}

/** Makes connections begun now dial so: the client takes its transport from one place for all, and sets that anew at every `connect`. */
export function useDialTransport(): void {
  setTransportFactory({ factory: () => new DialTransport(), dnsResolveFn: nodeResolveHost });
}

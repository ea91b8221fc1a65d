import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { MicroError } from '@ts-micro/core';
import { type ChaosFaults, ChaosPipe } from './chaos-pipe.ts';

export interface ChaosProxyOptions {
  /** The target of the bytes: `host:port`. */
  readonly target: string;
}

/** A TCP proxy on 127.0.0.1 that breaks the network between a client and a server, on command. */
export interface ChaosProxy extends AsyncDisposable {
  /** `nats://127.0.0.1:PORT`. */
  readonly url: string;
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  readonly port: number;
  /** How many client connections are open. */
  readonly links: number;
  /** Resets all links and every new one, until `heal()`. */
  cut(): void;
  /** Resets all links; new ones are welcome. */
  drop(): void;
  /**
   * Throws all bytes away in both directions and keeps the links open, new ones too, until `heal()`: neither side
   * notices.
   */
  halfOpen(): void;
  /** Throws away all bytes of the links that are open now, for good, and neither side notices; new ones work. */
  silence(): void;
  /** Holds all bytes back until `heal()`, when they arrive: what a network partition looks like to TCP. */
  stall(): void;
  /** Adds `ms` to the way of every byte from now on, in each direction. */
  delay(ms: number): void;
  /** Limits each direction of each link from now on; 0 is no limit. */
  throttle(bytesPerSecond: number): void;
  /** Ends all faults. Links that lost bytes are reset, for they can never be whole again. */
  heal(): void;
}

/** Starts a proxy that passes everything on. Throws `invalid` where `target` is not `host:port`. */
export async function startChaosProxy(options: ChaosProxyOptions): Promise<ChaosProxy> {
  const [, host, port] = /^(.+):(\d+)$/.exec(options.target) ?? [];
  if (host === undefined) {
    throw new MicroError('invalid', `chaos proxy: target must be host:port, not "${options.target}"`);
  }
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  const proxy = new TcpChaosProxy(server, host, Number(port));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return proxy;
}

interface Link {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly pipes: readonly ChaosPipe[];
  isSilent: boolean;
}

class TcpChaosProxy implements ChaosProxy {
  readonly #server: Server;
  readonly #host: string;
  readonly #targetPort: number;
  readonly #links = new Set<Link>();
  readonly #faults: ChaosFaults = { mode: 'pass', delayMs: 0, bytesPerSecond: 0 };
  #isCut = false;

  constructor(server: Server, host: string, targetPort: number) {
    this.#server = server;
    this.#host = host;
    this.#targetPort = targetPort;
    server.on('connection', (client) => this.#link(client));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get url(): string {
    return `nats://${this.address}`;
  }

  get links(): number {
    return this.#links.size;
  }

  cut(): void {
    this.#isCut = true;
    this.drop();
  }

  drop(): void {
    for (const link of this.#links) this.#reset(link);
  }

  halfOpen(): void {
    this.#faults.mode = 'swallow';
    this.#flush();
  }

  silence(): void {
    for (const link of this.#links) {
      // Who has left hears nothing any more, and would keep the link for good.
      if (link.client.readableEnded) {
        this.#reset(link);
        continue;
      }
      link.isSilent = true;
      for (const pipe of link.pipes) pipe.silence();
    }
  }

  stall(): void {
    this.#faults.mode = 'stall';
  }

  delay(ms: number): void {
    this.#faults.delayMs = ms;
  }

  throttle(bytesPerSecond: number): void {
    this.#faults.bytesPerSecond = bytesPerSecond;
  }

  heal(): void {
    this.#isCut = false;
    this.#faults.mode = 'pass';
    this.#faults.delayMs = 0;
    this.#faults.bytesPerSecond = 0;
    for (const link of this.#links) {
      if (link.pipes.some((pipe) => pipe.hasSwallowed)) this.#reset(link);
    }
    this.#flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #flush(): void {
    for (const link of this.#links) for (const pipe of link.pipes) pipe.flush();
  }

  #link(client: Socket): void {
    client.on('error', () => {});
    if (this.#isCut) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ host: this.#host, port: this.#targetPort, allowHalfOpen: true, noDelay: true });
    const pipes = [
      new ChaosPipe(client, upstream, this.#faults),
      new ChaosPipe(upstream, client, this.#faults),
    ] as const;
    const link: Link = { client, upstream, pipes, isSilent: false };
    this.#links.add(link);
    upstream.on('error', () => {});
    // Who gives up a silent link has found it out, and the server is rid of it too.
    client.once('end', () => link.isSilent && this.#reset(link));
    client.once('close', () => this.#closed(link, pipes[0]));
    upstream.once('close', () => this.#closed(link, pipes[1]));
  }

  /** One side is gone; the other learns of it unless the proxy hides it at the moment. */
  #closed(link: Link, pipe: ChaosPipe): void {
    const isHidden = link.isSilent && !link.client.destroyed;
    if (this.#faults.mode === 'pass' && !isHidden) this.#reset(link);
    else pipe.hasSwallowed = true;
    if (link.client.destroyed && link.upstream.destroyed) this.#reset(link);
  }

  #reset(link: Link): void {
    this.#links.delete(link);
    for (const pipe of link.pipes) pipe.stop();
    for (const socket of [link.client, link.upstream]) {
      // A reset of a socket that is being ended is refused, and would leave it open for good.
      if (socket.writableEnded) socket.destroy();
      else if (!socket.destroyed) socket.resetAndDestroy();
    }
  }
}

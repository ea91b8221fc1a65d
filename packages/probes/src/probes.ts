import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AbortOptions, type Closable, MicroError } from '@ts-micro/core';
import { Lifetime, OptionChecks, type OptionNames, throwIfAborted } from '@ts-micro/kit';
import type { Service } from '@ts-micro/service';
import { type Question, report } from './report.ts';
import { WaitingSockets } from './waiting-sockets.ts';

/** What of a service is asked. */
export type ProbedService = Pick<Service, 'name' | 'health'>;

export interface ProbesOptions extends AbortOptions {
  /** Asked at each probe: it is live, or ready, where all of them are. At least one. */
  readonly services: readonly ProbedService[];
  /** 0 takes a free one, which `port` of the result tells. @default 8080 */
  readonly port?: number | undefined;
  /** The address to listen on. @default every one, as a kubelet asks at the pod's */
  readonly host?: string | undefined;
}

/** The server that answers probes. Closing it finishes the answers under way, for at most a second. */
export interface Probes extends Closable {
  readonly port: number;
}

const who = 'probes';
const checks = new OptionChecks(who);
const optionNames: OptionNames<ProbesOptions> = {
  services: ['service'],
  port: true,
  host: ['hostname'],
  signal: ['abortSignal'],
};
/** Sockets at once on which nobody has asked yet; a kubelet needs two. */
const mostWaiting = 256;
/** The longest that a peer takes to ask. */
const requestTimeoutMs = 5000;
const closeTimeoutMs = 1000;

const questions: ReadonlyMap<string, Question> = new Map([
  ['/livez', 'live'],
  ['/readyz', 'ready'],
]);

/**
 * Answers `GET /livez` and `GET /readyz` with 200 or 503, and what every service's `health()` says as JSON. Resolves
 * once it listens. Does not keep the process alive. The services stay yours: open it before they start, so that a slow
 * start is no death, and close it after they stop.
 *
 * Errors: `invalid` for an option, `conflict` where the port is taken, `unauthorized` where it may not be used,
 * `unavailable` for an address that this machine does not have.
 */
export async function probes(options: ProbesOptions): Promise<Probes> {
  checks.named(options, optionNames);
  const { services, port = 8080, host, signal } = options;
  if (!Array.isArray(services) || services.length === 0 || !services.every(isProbed))
    throw checks.invalid('services', services, 'a list of services, at least one');
  checks.whole('port', port, 0, 65_535);
  if (host !== undefined) checks.text('host', host);
  throwIfAborted(signal, who);
  const server = createServer({
    // Nobody who asks needs more.
    maxHeaderSize: 8192,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: 1000,
  });
  const waiting = new WaitingSockets(mostWaiting);
  server.on('connection', (socket) => waiting.add(socket));
  server.on('request', (request, response) => {
    waiting.delete(request.socket);
    answer([...services], request, response);
  });
  // What is no HTTP gets no words.
  server.on('clientError', (_error, socket) => void socket.destroy());
  await listen(server, port, host);
  server.unref();
  return new ProbeServer(server, waiting);
}

class ProbeServer implements Probes {
  readonly port: number;
  readonly #life: Lifetime;

  constructor(server: Server, waiting: WaitingSockets) {
    this.port = (server.address() as AddressInfo).port;
    this.#life = new Lifetime(who, (options) => {
      waiting.destroyAll();
      return release(server, options);
    });
    server.on('error', (error) => void this.#life.fail(MicroError.from(error, 'unavailable', who)));
  }

  get closed(): Promise<MicroError | undefined> {
    return this.#life.closed;
  }

  close(options?: AbortOptions): Promise<void> {
    return this.#life.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function answer(services: readonly ProbedService[], request: IncomingMessage, response: ServerResponse): void {
  const { method = '', url = '' } = request;
  const question = questions.get(url.split('?', 1)[0] as string);
  if (question === undefined) {
    reply(request, response, 404, { status: 'failed', reason: 'there are /livez and /readyz' });
  } else if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    reply(request, response, 405, { status: 'failed', reason: 'a probe is a GET' });
  } else {
    const told = report(question, services);
    reply(request, response, told.status === 'ok' ? 200 : 503, told);
  }
}

function reply(request: IncomingMessage, response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    // A probe asks once, and what it sends besides is not read.
    Connection: 'close',
  });
  response.end(request.method === 'HEAD' ? undefined : text, () => void request.socket.destroySoon());
}

function listen(server: Server, port: number, host: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => reject(described(error, port, host));
    server.once('error', onError);
    server.listen({ port, host }, () => {
      server.off('error', onError);
      resolve();
    });
  });
}

function described(cause: NodeJS.ErrnoException, port: number, host: string | undefined): MicroError {
  const where = host === undefined ? `port ${port}` : `${host} port ${port}`;
  if (cause.code === 'EADDRINUSE') return new MicroError('conflict', `${who}: ${where} is taken`, { cause });
  if (cause.code === 'EACCES') return new MicroError('unauthorized', `${who}: ${where} may not be used`, { cause });
  return new MicroError('unavailable', `${who}: ${where} cannot be listened on: ${cause.message}`, { cause });
}

/** Stops listening; whoever has not got an answer by the bound is cut off. */
async function release(server: Server, { signal }: AbortOptions): Promise<void> {
  const cut = (): void => server.closeAllConnections();
  const timer = setTimeout(cut, closeTimeoutMs);
  signal?.addEventListener('abort', cut, { once: true });
  try {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
      if (signal?.aborted) cut();
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cut);
  }
}

function isProbed(service: unknown): boolean {
  return typeof (service as Partial<ProbedService> | undefined)?.health === 'function';
}

import type { Broker, Headers, LogFields, Logger, Message, Registry, Socket, Transport } from '@ts-micro/core';
import { type MemoryNetwork, memoryBroker, memoryNetwork, memoryRegistry, memoryTransport } from '@ts-micro/memory';
import { createService } from '../../src/server/create-service.ts';
import type { Service } from '../../src/server/service.ts';
import type { ServiceOptions } from '../../src/server/service-options.ts';

interface LogLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: LogFields;
}

export interface Fixture extends AsyncDisposable {
  readonly service: Service;
  readonly network: MemoryNetwork;
  readonly transport: Transport;
  readonly broker: Broker;
  readonly registry: Registry;
  readonly log: readonly LogLine[];
  /** A socket to the service, as a bare client has it. */
  dial(): Promise<Socket>;
  /** One request on a socket of its own. */
  ask(message: Message): Promise<Message>;
}

/** A service `greeter` on a memory network of its own, and the means to speak to it as a bare client. */
export async function startGreeter(
  configure: (service: Service) => void,
  options: Partial<ServiceOptions> = {},
): Promise<Fixture> {
  const fixture = makeGreeter(configure, options);
  await fixture.service.start();
  return fixture;
}

/** The same before its start. */
export function makeGreeter(configure: (service: Service) => void, options: Partial<ServiceOptions> = {}): Fixture {
  const network = memoryNetwork();
  const transport = memoryTransport({ network });
  const broker = memoryBroker({ network });
  const registry = memoryRegistry({ network });
  const log: LogLine[] = [];
  const service = createService({
    name: 'greeter',
    transport,
    broker,
    registry,
    stopTimeoutMs: 2000,
    logger: recorder(log),
    ...options,
  });
  configure(service);
  const sockets: Socket[] = [];
  const dial = async () => {
    const socket = await transport.dial(service.node?.address ?? '');
    sockets.push(socket);
    return socket;
  };
  return {
    service,
    network,
    transport,
    broker,
    registry,
    log,
    dial,
    ask: async (message) => ask(await dial(), message),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) await socket.close();
      await service.stop();
      await Promise.all([transport.close(), broker.close(), registry.close()]);
    },
  };
}

/** A registry that registers in a way of its own. */
export function registryWith(inner: Registry, register: Registry['register']): Registry {
  const { name, supports, closed } = inner;
  return {
    name,
    supports,
    closed,
    register,
    deregister: (...given) => inner.deregister(...given),
    getService: (...given) => inner.getService(...given),
    listServices: (...given) => inner.listServices(...given),
    watch: (...given) => inner.watch(...given),
    close: (...given) => inner.close(...given),
    [Symbol.asyncDispose]: () => inner.close(),
  };
}

/** Sends a message and receives the next one. */
export async function ask(socket: Socket, message: Message): Promise<Message> {
  await socket.send(message);
  return next(socket);
}

/** The next message, within a bound. */
export async function next(socket: Socket): Promise<Message> {
  const message = await socket.receive({ signal: AbortSignal.timeout(5000) });
  if (message === undefined) throw new Error('the socket ended');
  return { headers: { ...message.headers }, body: new Uint8Array(message.body) };
}

/** Resolves as the signal aborts, also where it has: on a slow machine a handler may begin after its deadline. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** The messages of a stream up to its terminal one, which is the last. */
export async function untilTerminal(socket: Socket): Promise<Message[]> {
  const messages: Message[] = [];
  for (;;) {
    const message = await next(socket);
    messages.push(message);
    if (message.headers['Micro-Error'] !== undefined) return messages;
  }
}

/** A JSON request as a Go client of version 6 sends it. */
export function request(endpoint: string, value: unknown, headers: Headers = {}): Message {
  return {
    headers: {
      Accept: 'application/json',
      'Content-Type': 'application/json',
      'Micro-Endpoint': endpoint,
      'Micro-ID': '1',
      'Micro-Method': endpoint,
      'Micro-Service': 'greeter',
      ...headers,
    },
    body: Buffer.from(`${JSON.stringify(value)}\n`),
  };
}

export function json(message: Message): unknown {
  return JSON.parse(Buffer.from(message.body).toString());
}

/** The error of a message, parsed where it is JSON. */
export function errorOf(message: Message): unknown {
  const text = message.headers['Micro-Error'];
  return text?.startsWith('{') ? JSON.parse(text) : text;
}

/** Waits until `check` holds. */
export async function until(what: string, check: () => boolean | Promise<boolean>, boundMs = 15_000): Promise<void> {
  const end = Date.now() + boundMs;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`not within ${boundMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A promise with its ends outside. */
export function deferred<T = void>(): { promise: Promise<T>; resolve(value: T): void; reject(error: unknown): void } {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function recorder(log: LogLine[]): Logger {
  const at =
    (level: keyof Logger) =>
    (message: string, fields: LogFields = {}) => {
      log.push({ level, message, fields });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

import { STATUS_CODES } from 'node:http';
import { type Broker, MicroError, type Registry, type Transport } from '@ts-micro/core';
import { type Client, createClient, createService, type Service, type ServiceOptions } from '@ts-micro/service';

/** What the greeter runs on, and whatever else flags say about it. */
export interface GreeterPlugins extends Partial<ServiceOptions> {
  readonly transport: Transport;
  readonly broker: Broker;
  readonly registry: Registry;
}

export interface Greeter {
  readonly service: Service;
  readonly client: Client;
}

/**
 * The greeter service with all its endpoints, not yet started. `say` gets the text of every `greeter.say` event that
 * falls to this node.
 */
export function createGreeter(plugins: GreeterPlugins, say: (text: string) => void): Greeter {
  const service = createService({ name: 'greeter', version: '1.0.0', ...plugins });
  const client = createClient(plugins);

  service.handle('Greeter.Hello', async ({ name }: { name: string }, context) => {
    await client.publish('greeter.greeted', { name }, { context });
    return { msg: `Hello ${name}` };
  });

  service.handle('Greeter.Echo', (anything: unknown) => anything);

  service.handle('Greeter.WhoAmI', () => ({ id: service.node?.id, pid: process.pid }));

  service.handle('Greeter.Sleep', async ({ ms }: { ms: number }, { signal }) => {
    await sleep(ms, signal);
    return { ms };
  });

  service.handle('Greeter.Fail', ({ code, detail }: { code: number; detail: string }) => {
    const status = STATUS_CODES[code] ?? '';
    throw new MicroError('remote', `greeter: ${detail}`, { remote: { id: 'greeter', code, detail, status } });
  });

  service.handle('Greeter.Crash', () => {
    throw new Error('the greeter crashed, as it was asked to');
  });

  service.handleStream('Greeter.Count', async (stream) => {
    const request = (await stream.receive()) as { to: number } | undefined;
    for (let value = 1; value <= (request?.to ?? 0); value++) await stream.send({ value });
  });

  service.handleStream('Greeter.Chat', async (stream) => {
    for await (const message of stream) await stream.send({ text: (message as { text: string }).text.toUpperCase() });
  });

  service.subscribe('greeter.say', ({ text }: { text: string }) => say(text), { queue: 'greeter' });

  return { service, client };
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

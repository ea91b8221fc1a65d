import { STATUS_CODES } from 'node:http';
import { type Broker, MicroError, type Registry, type Transport } from '@ts-micro/core';
import { implement, subscribe, typedClient } from '@ts-micro/definition';
import { type Client, createClient, createService, type Service, type ServiceOptions } from '@ts-micro/service';
import { greeter } from './greeter-definition.ts';

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

  const { events } = typedClient(client, greeter);
  // It was there before it was typed, and says on the wire what it always said, to the letter. A new service has no
  // such options.
  const options = { validateRequests: false, advertiseSchemas: false };

  implement(
    service,
    greeter,
    {
      'Greeter.Hello': async ({ name }, context) => {
        await events['greeter.greeted'].publish({ name }, { context });
        return { msg: `Hello ${name}` };
      },
      'Greeter.WhoAmI': () => ({ id: service.node?.id, pid: process.pid }),
      'Greeter.Sleep': async ({ ms }, { signal }) => {
        await sleep(ms, signal);
        return { ms };
      },
      'Greeter.Fail': ({ code, detail }) => {
        const status = STATUS_CODES[code] ?? '';
        throw new MicroError('remote', `greeter: ${detail}`, { remote: { id: 'greeter', code, detail, status } });
      },
      'Greeter.Crash': () => {
        throw new Error('the greeter crashed, as it was asked to');
      },
      'Greeter.Count': function* ({ to }) {
        for (let value = 1; value <= to; value++) yield { value };
      },
      'Greeter.Chat': async function* (stream) {
        for await (const { text } of stream) yield { text: text.toUpperCase() };
      },
    },
    options,
  );
  // Typed and untyped endpoints live in one service.
  service.handle('Greeter.Echo', (anything: unknown) => anything);
  subscribe(service, greeter, 'greeter.say', ({ text }) => say(text), {
    queue: 'greeter',
    validate: false,
    advertiseSchemas: false,
  });

  return { service, client };
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

import type { Contender, ContenderProgram } from './contender.ts';
import { buildGoMicro } from './go-micro.ts';

export type ContenderName =
  | 'raw'
  | 'raw-again'
  | 'raw-no-async-traces'
  | 'transport-node'
  | 'nats-services'
  | 'multiplexer'
  | 'multiplexer-corked'
  | 'multiplexer-held'
  | 'multiplexer-chunks'
  | 'multiplexer-envelope'
  | 'ts-micro'
  | 'ts-micro-envelope'
  | 'ts-micro-lent'
  | 'ts-micro-slow'
  | 'ts-micro-middleware'
  | 'ts-micro-observed'
  | 'ts-micro-typed'
  | 'ts-micro-zod'
  | 'ts-micro-valibot'
  | 'moleculer'
  | 'nest'
  | 'go-micro';

/** Makes a program that obeys the same commands as the Node halves, or says why it cannot be run here. */
export type ContenderBuild = () => Promise<ContenderProgram | { readonly missing: string }>;

interface Entry {
  /** What heads its row. */
  readonly title: string;
  /** Loaded only in its own processes. */
  readonly load?: () => Promise<{ readonly contender: Contender }>;
  /** Where it is no module of Node. */
  readonly build?: ContenderBuild;
}

/** Everything that is measured, by name. A new one is a file beside this one and a line here. */
export const contenders: Readonly<Record<ContenderName, Entry>> = {
  raw: { title: 'nats request()', load: () => import('./raw.ts') },
  'raw-again': { title: 'nats request() again: the noise', load: () => import('./raw.ts') },
  'raw-no-async-traces': {
    title: 'nats request(), noAsyncTraces',
    load: () => import('./raw-no-async-traces.ts'),
  },
  'transport-node': { title: '@nats-io/transport-node request()', load: () => import('./transport-node.ts') },
  'nats-services': { title: '@nats-io/services', load: () => import('./nats-services.ts') },
  multiplexer: { title: 'bare multiplexer', load: () => import('./multiplexer.ts') },
  'multiplexer-corked': { title: 'bare multiplexer, corked writes', load: () => import('./multiplexer-corked.ts') },
  'multiplexer-held': { title: 'bare multiplexer, 2 MB of objects held', load: () => import('./multiplexer-held.ts') },
  'multiplexer-chunks': { title: 'bare chunks', load: () => import('./multiplexer-chunks.ts') },
  'multiplexer-envelope': {
    title: "bare multiplexer, Go Micro's envelope",
    load: () => import('./multiplexer-envelope.ts'),
  },
  'ts-micro': { title: 'ts-micro', load: () => import('./ts-micro.ts') },
  'ts-micro-envelope': { title: "ts-micro, Go Micro's envelope", load: () => import('./ts-micro-envelope.ts') },
  'ts-micro-lent': { title: 'ts-micro, @nats-io connection lent', load: () => import('./ts-micro-lent.ts') },
  'ts-micro-slow': { title: 'ts-micro, handlers of 20 ms', load: () => import('./ts-micro-slow.ts') },
  'ts-micro-middleware': { title: 'ts-micro, an empty middleware', load: () => import('./ts-micro-middleware.ts') },
  'ts-micro-observed': {
    title: 'ts-micro, OpenTelemetry without an SDK',
    load: () => import('./ts-micro-observed.ts'),
  },
  'ts-micro-typed': { title: 'ts-micro, typed, nothing checked', load: () => import('./ts-micro-typed.ts') },
  'ts-micro-zod': { title: 'ts-micro, typed by zod', load: () => import('./ts-micro-zod.ts') },
  'ts-micro-valibot': { title: 'ts-micro, typed by valibot', load: () => import('./ts-micro-valibot.ts') },
  moleculer: { title: 'Moleculer', load: () => import('./moleculer.ts') },
  nest: { title: 'NestJS microservices', load: () => import('./nest.ts') },
  'go-micro': { title: 'Go Micro, client and server', build: buildGoMicro },
};

/** Loads the module of a contender. */
export async function loadContender(name: string): Promise<Contender> {
  const load = Object.hasOwn(contenders, name) ? contenders[name as ContenderName].load : undefined;
  if (load === undefined) throw new Error(`there is no contender "${name}" to load`);
  return (await load()).contender;
}

import { randomUUID } from 'node:crypto';
import type { Broker, Headers, Logger, Registry, Transport } from '@ts-micro/core';
import { OptionChecks, type OptionNames, safeLogger } from '@ts-micro/kit';
import type { Middleware } from '../middleware.ts';
import type { Codec } from '../rpc/codec/codec.ts';
import { type DialectChoice, isDialectChoice } from '../rpc/dialects.ts';

export interface ServiceOptions {
  /** The name that clients call: `greeter`. */
  readonly name: string;
  /** @default 'latest' */
  readonly version?: string | undefined;
  /** Tells instances apart; the node's id is `<name>-<id>`. @default a random UUID */
  readonly id?: string | undefined;
  /**
   * The address to listen on. @default one that the transport makes up, which is right but for tests and fixed
   * topologies
   */
  readonly address?: string | undefined;
  /** The address put into the registry. @default the one listened on */
  readonly advertise?: string | undefined;
  /** Added to the node's metadata. */
  readonly metadata?: Headers | undefined;
  readonly transport: Transport;
  /** Needed by `subscribe`. */
  readonly broker?: Broker | undefined;
  /** Without one the service can be called by its address only. */
  readonly registry?: Registry | undefined;
  /** @default 30000 */
  readonly registerIntervalMs?: number | undefined;
  /** How long the registry keeps the node without hearing of it. @default 90000 */
  readonly registerTtlMs?: number | undefined;
  /**
   * How long a stopping service still takes requests after it has left the registry, in milliseconds, so that the
   * caches of its callers follow; it ends early once nobody has asked anything for 50 ms. @default 1000
   */
  readonly drainGraceMs?: number | undefined;
  /** How long `stop` waits for running handlers, the grace included, in milliseconds. @default 10000 */
  readonly stopTimeoutMs?: number | undefined;
  /** How many requests are handled at once, and how many streams besides. @default 1024 */
  readonly maxConcurrency?: number | undefined;
  /**
   * How many requests beyond that wait for room; further ones are refused as `unavailable`, safe to retry elsewhere.
   * @default 1024
   */
  readonly maxBacklog?: number | undefined;
  /**
   * Bytes of the bodies that are handled at once: while there are so many, further large requests wait for room, and
   * small ones, of a `maxConcurrency`-th of it, do not. @default 536870912 (512 MiB)
   */
  readonly maxConcurrentBytes?: number | undefined;
  /**
   * Bytes of the requests that wait for room, which the last one may pass; further ones are refused as beyond
   * `maxBacklog`. @default 268435456 (256 MiB)
   */
  readonly maxBacklogBytes?: number | undefined;
  /**
   * Bytes that clients have sent on streams and that handlers have not received yet, of all streams together, half of
   * it at most of one process. Beyond it the stream to which nothing came for longest fails with `unavailable`.
   * @default 1073741824 (1 GiB)
   */
  readonly maxUnreadBytes?: number | undefined;
  /** Codecs besides JSON, bytes and protobuf as bytes; one with a built-in's content type replaces it. */
  readonly codecs?: readonly Codec[] | undefined;
  /** `auto` tells clients of this package that they may spare headers; `go` does not. @default 'auto' */
  readonly dialect?: 'auto' | 'go' | undefined;
  /** Run around every handler, the first outermost; `use` adds to them. */
  readonly middleware?: readonly Middleware[] | undefined;
  /** @default silent */
  readonly logger?: Logger | undefined;
}

/** {@link ServiceOptions} checked, defaults filled in. */
export interface CheckedServiceOptions extends ServiceOptions {
  readonly version: string;
  readonly id: string;
  readonly metadata: Headers;
  readonly registerIntervalMs: number;
  readonly registerTtlMs: number;
  readonly drainGraceMs: number;
  readonly stopTimeoutMs: number;
  readonly maxConcurrency: number;
  readonly maxBacklog: number;
  readonly maxConcurrentBytes: number;
  readonly maxBacklogBytes: number;
  readonly maxUnreadBytes: number;
  readonly codecs: readonly Codec[];
  readonly dialect: DialectChoice;
  readonly middleware: readonly Middleware[];
  readonly logger: Logger;
}

const who = 'service';
const optionNames: OptionNames<ServiceOptions> = {
  name: true,
  version: true,
  id: true,
  address: true,
  advertise: true,
  metadata: true,
  transport: true,
  broker: true,
  registry: true,
  registerIntervalMs: true,
  registerTtlMs: true,
  drainGraceMs: true,
  stopTimeoutMs: true,
  maxConcurrency: true,
  maxBacklog: true,
  maxConcurrentBytes: true,
  maxBacklogBytes: true,
  maxUnreadBytes: true,
  codecs: true,
  dialect: true,
  middleware: true,
  logger: ['log'],
};

const mebibyte = 1024 * 1024;

/** Throws `invalid` naming the option and its value. */
export function checkServiceOptions(options: ServiceOptions): CheckedServiceOptions {
  const checks = new OptionChecks(who);
  checks.named(options, optionNames);
  if (options.metadata !== undefined) checks.texts('metadata', options.metadata);
  const checked: CheckedServiceOptions = {
    ...options,
    version: options.version ?? 'latest',
    id: options.id ?? randomUUID(),
    metadata: { ...options.metadata },
    registerIntervalMs: options.registerIntervalMs ?? 30_000,
    registerTtlMs: options.registerTtlMs ?? 90_000,
    drainGraceMs: options.drainGraceMs ?? 1000,
    stopTimeoutMs: options.stopTimeoutMs ?? 10_000,
    maxConcurrency: options.maxConcurrency ?? 1024,
    maxBacklog: options.maxBacklog ?? 1024,
    maxConcurrentBytes: options.maxConcurrentBytes ?? 512 * mebibyte,
    maxBacklogBytes: options.maxBacklogBytes ?? 256 * mebibyte,
    maxUnreadBytes: options.maxUnreadBytes ?? 1024 * mebibyte,
    codecs: options.codecs ?? [],
    dialect: options.dialect ?? 'auto',
    middleware: options.middleware ?? [],
    logger: safeLogger(options.logger),
  };
  for (const name of ['name', 'version', 'id'] as const) checks.text(name, checked[name]);
  for (const name of ['address', 'advertise'] as const) {
    if (checked[name] !== undefined) checks.text(name, checked[name]);
  }
  checks.functions('middleware', checked.middleware);
  if (typeof options.transport?.listen !== 'function')
    throw checks.invalid('transport', options.transport, 'a transport');
  if (options.broker) checks.methods('broker', options.broker, 'publish', 'subscribe');
  if (options.registry) checks.methods('registry', options.registry, 'register', 'deregister');
  if (!isDialectChoice(checked.dialect)) throw checks.invalid('dialect', checked.dialect, 'auto or go');
  for (const name of ['registerIntervalMs', 'registerTtlMs'] as const) checks.milliseconds(name, checked[name]);
  for (const name of ['drainGraceMs', 'stopTimeoutMs'] as const) checks.millisecondsOrNone(name, checked[name]);
  checks.whole('maxConcurrency', checked.maxConcurrency);
  checks.whole('maxBacklog', checked.maxBacklog, 0);
  for (const name of ['maxConcurrentBytes', 'maxBacklogBytes', 'maxUnreadBytes'] as const)
    checks.whole(name, checked[name]);
  return checked;
}

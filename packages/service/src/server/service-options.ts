import { randomUUID } from 'node:crypto';
import {
  type Broker,
  type Headers,
  type Logger,
  MicroError,
  type Registry,
  silentLogger,
  type Transport,
} from '@ts-micro/core';
import type { Middleware } from '../middleware.ts';
import type { Codec } from '../rpc/codec.ts';
import { type DialectChoice, isDialectChoice } from '../rpc/dialects.ts';

export interface ServiceOptions {
  /** What clients call it: `greeter`. */
  readonly name: string;
  /** @default 'latest' */
  readonly version?: string | undefined;
  /** Tells instances apart; the node's id is `<name>-<id>`. @default a random UUID */
  readonly id?: string | undefined;
  /** The address to listen on. @default one that the transport makes up, which is right but for tests and fixed topologies */
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
  /** How long `stop` waits for running handlers. @default 10000 */
  readonly stopTimeoutMs?: number | undefined;
  /** How many requests are handled at once, and how many streams besides. @default 1024 */
  readonly maxConcurrency?: number | undefined;
  /** How many requests beyond that wait for room; further ones are refused as `unavailable`, safe to retry elsewhere. @default 1024 */
  readonly maxBacklog?: number | undefined;
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
  readonly stopTimeoutMs: number;
  readonly maxConcurrency: number;
  readonly maxBacklog: number;
  readonly codecs: readonly Codec[];
  readonly dialect: DialectChoice;
  readonly middleware: readonly Middleware[];
  readonly logger: Logger;
}

/** Throws `invalid` naming the option and its value. */
export function checkServiceOptions(options: ServiceOptions): CheckedServiceOptions {
  checkText('name', options.name);
  const checked: CheckedServiceOptions = {
    ...options,
    version: options.version ?? 'latest',
    id: options.id ?? randomUUID(),
    metadata: { ...options.metadata },
    registerIntervalMs: options.registerIntervalMs ?? 30_000,
    registerTtlMs: options.registerTtlMs ?? 90_000,
    stopTimeoutMs: options.stopTimeoutMs ?? 10_000,
    maxConcurrency: options.maxConcurrency ?? 1024,
    maxBacklog: options.maxBacklog ?? 1024,
    codecs: options.codecs ?? [],
    dialect: options.dialect ?? 'auto',
    middleware: options.middleware ?? [],
    logger: options.logger ?? silentLogger,
  };
  for (const name of ['version', 'id'] as const) checkText(name, checked[name]);
  for (const name of ['address', 'advertise'] as const) {
    if (checked[name] !== undefined) checkText(name, checked[name]);
  }
  for (const [name, value] of Object.entries(checked.metadata)) {
    if (typeof value !== 'string') throw invalid(`metadata "${name}" is a ${typeof value}, not a string`);
  }
  if (typeof options.transport?.listen !== 'function') throw invalid('transport is missing');
  if (!isDialectChoice(checked.dialect)) throw invalid(`dialect ${String(checked.dialect)} is neither auto nor go`);
  for (const name of ['registerIntervalMs', 'registerTtlMs'] as const) checkNumber(name, checked[name], 1, 2 ** 31 - 1);
  checkNumber('stopTimeoutMs', checked.stopTimeoutMs, 0, 2 ** 31 - 1);
  checkNumber('maxConcurrency', checked.maxConcurrency, 1, Number.MAX_SAFE_INTEGER);
  checkNumber('maxBacklog', checked.maxBacklog, 0, Number.MAX_SAFE_INTEGER);
  return checked;
}

function checkText(name: string, value: unknown): void {
  if (typeof value !== 'string' || value.trim() === '') throw invalid(`${name} ${JSON.stringify(value)} is not a text`);
}

function checkNumber(name: string, value: unknown, least: number, most: number): void {
  if (typeof value !== 'number' || !(value >= least && value <= most))
    throw invalid(`${name} ${String(value)} is not a number from ${least} to ${most}`);
}

function invalid(what: string): MicroError {
  return new MicroError('invalid', `service: ${what}`);
}

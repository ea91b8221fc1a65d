import type { AbortOptions, Broker, Headers, Logger, Registry, Transport } from '@ts-micro/core';
import { callSafely, OptionChecks, type OptionNames, safeLogger } from '@ts-micro/kit';
import type { Middleware } from '../middleware.ts';
import type { CallContext } from '../rpc/call-context.ts';
import type { Codec } from '../rpc/codec/codec.ts';
import { type Codecs, createCodecs } from '../rpc/codec/codecs.ts';
import { type DialectChoice, isDialectChoice } from '../rpc/dialects.ts';
import { leastLoad } from './discovery/least-load.ts';
import { type LoadObserver, random, roundRobin, type SelectorStrategy } from './discovery/selector.ts';
import type { NodeFilter } from './discovery/service-view.ts';

export interface ClientOptions {
  /** Carries calls and streams. The client does not close it, nor any other plugin. */
  readonly transport: Transport;
  /** Carries events; without it `publish` is `unsupported`. */
  readonly broker?: Broker | undefined;
  /** Finds services; without it calls need an `address`. */
  readonly registry?: Registry | undefined;
  /**
   * How one of several nodes is chosen: `leastLoad` spares those that are slow or busy, by their latency and the calls
   * under way at them. @default 'leastLoad'
   */
  readonly selector?: 'leastLoad' | 'random' | 'roundRobin' | SelectorStrategy | undefined;
  /** How long a call may take as a whole, lookup and retries included. @default 5000 */
  readonly timeoutMs?: number | undefined;
  /** How long one attempt of a call may take. @default as long as the call */
  readonly attemptTimeoutMs?: number | undefined;
  /** How many more attempts follow the first. @default 3 */
  readonly retries?: number | undefined;
  /**
   * The share of calls that may be tried again after an attempt that cost a node something, beside ten a second and a
   * hundred at once: so retries do not multiply the load of a fleet that is overloaded. @default 0.1
   */
  readonly retryBudget?: number | undefined;
  /** How many idle sockets are kept for each node; more calls at once dial anew. (Go Micro: 100.) @default 1024 */
  readonly poolSize?: number | undefined;
  /** How long a socket is kept idle. Go Micro's servers forget one after 60 s. @default 45000 */
  readonly poolIdleMs?: number | undefined;
  /** How long a stream waits for the peer's next message. @default 60000 */
  readonly streamIdleMs?: number | undefined;
  /** The content type of requests and events. @default 'application/json' */
  readonly contentType?: string | undefined;
  /** Codecs beside the built-in ones for JSON, protobuf as bytes, and bytes. */
  readonly codecs?: readonly Codec[] | undefined;
  /**
   * `auto` spares headers towards nodes of this package; `go` writes to every node as Go Micro does. @default 'auto'
   */
  readonly dialect?: 'auto' | 'go' | undefined;
  /** Wraps every call, stream and publish, the first outermost. */
  readonly middleware?: readonly Middleware[] | undefined;
  /** Metadata that goes with every call, stream and event. */
  readonly callMetadata?: Headers | undefined;
  /** @default silent */
  readonly logger?: Logger | undefined;
}

/** The options that calls, streams and events have in common. */
export interface OutgoingOptions extends AbortOptions {
  /** Headers of the application; those of the transport level (`Timeout`, `Content-Type`, `Micro-...`) are left out. */
  readonly metadata?: Headers | undefined;
  /** The request in whose course this is sent: its metadata, deadline and signal go on. */
  readonly context?: CallContext | undefined;
  /** @default the client's */
  readonly contentType?: string | undefined;
  /** The codecs that bodies are written and read with. @default the client's */
  readonly codecs?: Codecs | undefined;
}

/** Chooses the target of a call or stream: a node of the service that the filter accepts, or an address. */
export interface TargetOptions extends NodeFilter {
  /** A listener's address, called without asking the registry. */
  readonly address?: string | undefined;
}

export interface CallOptions extends OutgoingOptions, TargetOptions {
  /** @default the client's */
  readonly timeoutMs?: number | undefined;
  /** @default the client's */
  readonly attemptTimeoutMs?: number | undefined;
  /** @default the client's */
  readonly retries?: number | undefined;
  /**
   * That running it twice does no harm: it is then tried again also after a failure that may have come too late to
   * stop it.
   * @default false
   */
  readonly idempotent?: boolean | undefined;
}

export interface StreamOptions extends OutgoingOptions, TargetOptions {
  /** How long opening may take, retries included. @default the client's `timeoutMs` */
  readonly timeoutMs?: number | undefined;
  /** How many more attempts to open follow the first. @default the client's */
  readonly retries?: number | undefined;
  /** How long a `receive` waits for the peer's next message. @default the client's */
  readonly streamIdleMs?: number | undefined;
}

export interface EventOptions extends OutgoingOptions {}

const checks = new OptionChecks('client');
const optionNames: OptionNames<ClientOptions> = {
  transport: true,
  broker: true,
  registry: true,
  selector: true,
  timeoutMs: true,
  attemptTimeoutMs: true,
  retries: ['retry'],
  retryBudget: true,
  poolSize: true,
  poolIdleMs: true,
  streamIdleMs: true,
  contentType: true,
  codecs: true,
  dialect: true,
  middleware: ['middlewares'],
  callMetadata: true,
  logger: ['log'],
};

/** {@link ClientOptions} checked, with defaults. */
export interface ClientSettings {
  readonly transport: Transport;
  readonly broker: Broker | undefined;
  readonly registry: Registry | undefined;
  readonly select: SelectorStrategy;
  readonly timeoutMs: number;
  readonly attemptTimeoutMs: number | undefined;
  readonly retries: number;
  readonly retryBudget: number;
  readonly poolSize: number;
  readonly poolIdleMs: number;
  readonly streamIdleMs: number;
  readonly contentType: string;
  readonly codecs: Codecs;
  readonly dialect: DialectChoice;
  readonly callMetadata: Headers | undefined;
  readonly logger: Logger;
}

/** Checks the options once and fills in defaults. Throws `invalid` naming option and value. */
export function clientSettings(options: ClientOptions): ClientSettings {
  checks.named(options, optionNames);
  const {
    transport,
    broker,
    registry,
    selector = 'leastLoad',
    timeoutMs = 5000,
    attemptTimeoutMs,
    retries = 3,
    retryBudget = 0.1,
    poolSize = 1024,
    poolIdleMs = 45_000,
    streamIdleMs = 60_000,
    contentType = 'application/json',
    dialect = 'auto',
    callMetadata,
    logger,
  } = options;
  if (typeof transport?.dial !== 'function') throw checks.invalid('transport', transport, 'a transport');
  if (broker) checks.methods('broker', broker, 'publish');
  if (registry) checks.methods('registry', registry, 'getService');
  checkTime('timeoutMs', timeoutMs);
  if (attemptTimeoutMs !== undefined) checkTime('attemptTimeoutMs', attemptTimeoutMs);
  checkCount('retries', retries);
  // A text would be joined to what is counted.
  if (typeof retryBudget !== 'number' || !(retryBudget >= 0 && retryBudget <= 1))
    throw checks.invalid('retryBudget', retryBudget, 'a number from 0 to 1');
  checkCount('poolSize', poolSize);
  checkTime('poolIdleMs', poolIdleMs);
  checkTime('streamIdleMs', streamIdleMs);
  if (callMetadata !== undefined) checkMetadata('callMetadata', callMetadata);
  if (options.middleware !== undefined) checks.functions('middleware', options.middleware);
  const codecs = createCodecs(options.codecs);
  if (codecs.get(contentType) === undefined) throw checks.invalid('contentType', contentType, 'one that a codec knows');
  if (!isDialectChoice(dialect)) throw checks.invalid('dialect', dialect, 'auto or go');
  return {
    transport,
    broker,
    registry,
    select: strategy(selector, safeLogger(logger)),
    timeoutMs,
    attemptTimeoutMs,
    retries,
    retryBudget,
    poolSize,
    poolIdleMs,
    streamIdleMs,
    contentType,
    codecs,
    dialect,
    callMetadata,
    logger: safeLogger(logger),
  };
}

/** Throws `invalid` unless it is a time a timer can measure. */
export function checkTime(name: string, value: number): void {
  checks.milliseconds(name, value);
}

/** Throws `invalid` unless it is an object of names and values; what is iterated, as a `Map`, would look empty. */
export function checkMetadata(option: string, metadata: Headers): void {
  if (typeof metadata === 'object' && metadata !== null && !(Symbol.iterator in metadata)) return;
  throw checks.invalid(option, metadata, 'an object of names and values');
}

/** Throws `invalid` unless it is a whole number from 0 up. */
export function checkCount(name: string, value: number): void {
  checks.whole(name, value, 0);
}

function strategy(selector: NonNullable<ClientOptions['selector']>, logger: Logger): SelectorStrategy {
  if (selector === 'leastLoad') return leastLoad();
  if (selector === 'random') return random();
  if (selector === 'roundRobin') return roundRobin();
  if (typeof selector === 'function') return withSafeObserver(selector, logger);
  throw checks.invalid('selector', selector, 'leastLoad, random, roundRobin or a function');
}

/** An observer is the user's: what it throws harms no call, and is told once. */
function withSafeObserver(selector: SelectorStrategy, logger: Logger): SelectorStrategy {
  const { observer } = selector;
  if (observer === undefined) return selector;
  checks.methods('selector.observer', observer, 'began', 'ended', 'forget');
  let isTold = false;
  const onThrown = (error: unknown): void => {
    if (!isTold) logger.error("the selector's observer failed", { error });
    isTold = true;
  };
  const safely = (tell: () => void): void => callSafely(tell, onThrown);
  const safe: LoadObserver = {
    began: (address, endpoint) => safely(() => observer.began(address, endpoint)),
    ended: (address, endpoint, elapsedMs, hasSucceeded) =>
      safely(() => observer.ended(address, endpoint, elapsedMs, hasSucceeded)),
    forget: (address) => safely(() => observer.forget(address)),
  };
  return Object.assign((...[candidates, request]: Parameters<SelectorStrategy>) => selector(candidates, request), {
    observer: safe,
  });
}

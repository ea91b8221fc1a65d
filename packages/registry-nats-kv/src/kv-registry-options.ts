import { type Logger, silentLogger } from '@ts-micro/core';
import { longestTimerMs, OptionChecks, type OptionNames, RateLimitedLogger } from '@ts-micro/kit';
import { type NatsPluginOptions, natsOptionNames } from '@ts-micro/nats';

/** How to connect, where to store, and for how long. */
export interface NatsKvRegistryOptions extends NatsPluginOptions {
  /** Letters, digits, `-` and `_`. @default 'micro-registry' */
  readonly bucket?: string | undefined;
  /**
   * Makes the bucket where there is none, and brings it to the options that are named. `false` only uses what is there.
   * @default true
   */
  readonly manage?: boolean | undefined;
  /** Where a bucket that is made keeps its keys. @default 'file' */
  readonly storage?: 'file' | 'memory' | undefined;
  /** On how many servers of a cluster a key is before it counts as stored. @default 1 */
  readonly replicas?: number | undefined;
  /** The most bytes of the bucket; beyond, new nodes are refused with `unavailable`. @default unlimited */
  readonly maxBytes?: number | undefined;
  /**
   * How long the server keeps a key that nobody writes again, whatever its lease. What a registry holds it writes three
   * times in it. @default 3600000, an hour
   */
  readonly maxAgeMs?: number | undefined;
  /** The lease of nodes registered without `ttlMs`, which are renewed three times in it. @default 90000 */
  readonly defaultLeaseMs?: number | undefined;
  /** The longest record in bytes that is stored, and read. @default 1 MiB */
  readonly maxRecordBytes?: number | undefined;
  /** The most nodes that are known of one service, or of all where all are followed. @default 20000 */
  readonly maxNodes?: number | undefined;
  /** How long the server has for an answer. @default 5000 */
  readonly requestTimeoutMs?: number | undefined;
  /** How long closing waits for what was registered to be taken away. @default 5000 */
  readonly closeTimeoutMs?: number | undefined;
  /** The JetStream domain, as of a leaf node. @default the server's */
  readonly domain?: string | undefined;
}

/** {@link NatsKvRegistryOptions} checked, with defaults filled in. */
export interface NatsKvRegistrySettings {
  /** The options of the connection alone: plugins for which this is equal share one. */
  readonly connect: NatsPluginOptions;
  readonly bucket: string;
  readonly manage: boolean;
  readonly storage: 'file' | 'memory' | undefined;
  readonly replicas: number | undefined;
  readonly maxBytes: number | undefined;
  readonly maxAgeMs: number | undefined;
  readonly defaultLeaseMs: number;
  readonly maxRecordBytes: number;
  readonly maxNodes: number;
  readonly requestTimeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly domain: string | undefined;
  readonly logger: Logger & { end(): void };
}

export const who = 'nats-kv registry';
const checks = new OptionChecks(who);
const optionNames: OptionNames<NatsKvRegistryOptions> = {
  ...natsOptionNames,
  bucket: true,
  manage: true,
  storage: true,
  replicas: true,
  maxBytes: true,
  maxAgeMs: true,
  defaultLeaseMs: true,
  maxRecordBytes: true,
  maxNodes: true,
  requestTimeoutMs: true,
  closeTimeoutMs: true,
  domain: true,
};
const nameRule = /^[A-Za-z0-9_-]{1,200}$/;
const nameWords = 'up to 200 letters, digits, - and _';

/** Throws `invalid` naming the option and its value. */
export function checkKvRegistryOptions(options: NatsKvRegistryOptions): NatsKvRegistrySettings {
  checks.named(options, optionNames);
  const {
    bucket = 'micro-registry',
    manage = true,
    storage,
    replicas,
    maxBytes,
    maxAgeMs,
    defaultLeaseMs = 90_000,
    maxRecordBytes = 2 ** 20,
    maxNodes = 20_000,
    requestTimeoutMs = 5000,
    closeTimeoutMs = 5000,
    domain,
    ...connect
  } = options;
  if (typeof bucket !== 'string' || !nameRule.test(bucket)) throw checks.invalid('bucket', bucket, nameWords);
  checks.boolean('manage', manage);
  if (storage !== undefined) checks.oneOf('storage', storage, ['file', 'memory']);
  if (replicas !== undefined) checks.whole('replicas', replicas, 1, 5);
  if (maxBytes !== undefined) checks.whole('maxBytes', maxBytes);
  if (maxAgeMs !== undefined) checks.whole('maxAgeMs', maxAgeMs, 1000, longestTimerMs);
  checks.milliseconds('defaultLeaseMs', defaultLeaseMs);
  checks.whole('maxRecordBytes', maxRecordBytes);
  checks.whole('maxNodes', maxNodes);
  checks.milliseconds('requestTimeoutMs', requestTimeoutMs);
  checks.milliseconds('closeTimeoutMs', closeTimeoutMs);
  if (domain !== undefined && (typeof domain !== 'string' || !nameRule.test(domain)))
    throw checks.invalid('domain', domain, nameWords);
  return {
    connect,
    bucket,
    manage,
    storage,
    replicas,
    maxBytes,
    maxAgeMs,
    defaultLeaseMs,
    maxRecordBytes,
    maxNodes,
    requestTimeoutMs,
    closeTimeoutMs,
    domain,
    logger: new RateLimitedLogger(connect.logger ?? silentLogger),
  };
}

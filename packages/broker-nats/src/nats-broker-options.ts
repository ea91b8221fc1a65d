import type { BrokerOptions } from '@ts-micro/core';
import { longestTimerMs, OptionChecks, type OptionNames } from '@ts-micro/kit';
import { type NatsPluginOptions, natsOptionNames } from '@ts-micro/nats';
import type { BrokerDialect } from './message-dialect.ts';

/**
 * The policy for messages that are published while the connection is lost: each is refused at once, or kept, in order,
 * until it is back.
 */
export type OutagePolicy = 'refuse' | 'buffer';

/** How to connect, and what to publish. */
export interface NatsBrokerOptions extends NatsPluginOptions {
  /** The form of what is published; a subscriber understands either. @default 'go' */
  readonly dialect?: BrokerDialect | undefined;
  /**
   * How many messages of one subscription may wait for its handlers. Those beyond are dropped, logged and reported to
   * `onError` as `unavailable`. @default 65536
   */
  readonly maxPendingMessages?: number | undefined;
  /**
   * How many bytes of one subscription may wait likewise, and one message more. All subscriptions of the broker share 8
   * times as much; beyond that, one that holds less than a 64th of its bound still has room.
   * @default 67108864 (64 MiB)
   */
  readonly maxPendingBytes?: number | undefined;
  /**
   * `refuse`: `publish` rejects with `unavailable` while the connection is lost. `buffer`: it waits, and resolves once
   * the message is written
   * after the reconnect, or rejects with `unavailable` where a bound below is passed first.
   * @default 'refuse'
   */
  readonly outage?: OutagePolicy | undefined;
  /** How many bytes may wait for the connection, 512 more counted for each message. @default 8388608 */
  readonly maxBufferedBytes?: number | undefined;
  /** How long a message may wait for the connection. @default 30000 */
  readonly maxBufferedMs?: number | undefined;
  /**
   * Told at each loss of the connection how many messages were written before it, without a word from the server that
   * it has them. @default a line in the log
   */
  readonly onUncertain?: ((count: number) => void) | undefined;
  /** How long closing a subscriber waits for its handlers and for what arrived before. @default 10000 */
  readonly closeTimeoutMs?: number | undefined;
}

/** {@link NatsBrokerOptions} of the broker itself with defaults filled in. */
export interface NatsBrokerSettings extends BrokerOptions {
  readonly dialect: BrokerDialect;
  readonly maxPendingMessages: number;
  readonly maxPendingBytes: number;
  readonly outage: OutagePolicy;
  readonly maxBufferedBytes: number;
  readonly maxBufferedMs: number;
  readonly closeTimeoutMs: number;
}

const policies: readonly string[] = ['refuse', 'buffer'] satisfies OutagePolicy[];
const dialects: readonly string[] = ['go', 'native'] satisfies BrokerDialect[];
const checks = new OptionChecks('nats broker');
const optionNames: OptionNames<NatsBrokerOptions> = {
  ...natsOptionNames,
  dialect: true,
  maxPendingMessages: true,
  maxPendingBytes: true,
  outage: true,
  maxBufferedBytes: true,
  maxBufferedMs: true,
  onUncertain: true,
  closeTimeoutMs: true,
};

/**
 * Splits the options into those of the connection and those of the broker. Throws `invalid` naming the option and its
 * value.
 */
export function checkBrokerOptions(options: NatsBrokerOptions): {
  readonly connect: NatsPluginOptions;
  readonly settings: Omit<NatsBrokerSettings, 'addresses'>;
  readonly onUncertain: ((count: number) => void) | undefined;
} {
  checks.named(options, optionNames);
  const {
    dialect = 'go',
    maxPendingMessages = 65_536,
    maxPendingBytes = 64 * 1024 * 1024,
    outage = 'refuse',
    maxBufferedBytes = 8 * 1024 * 1024,
    maxBufferedMs = 30_000,
    onUncertain,
    closeTimeoutMs = 10_000,
    ...connect
  } = options;
  checks.oneOf('dialect', dialect, dialects);
  checks.oneOf('outage', outage, policies);
  checks.whole('maxPendingMessages', maxPendingMessages);
  checks.whole('maxPendingBytes', maxPendingBytes);
  checks.whole('maxBufferedBytes', maxBufferedBytes);
  checks.whole('maxBufferedMs', maxBufferedMs, 1, longestTimerMs);
  checks.optionalFunction('onUncertain', onUncertain);
  checks.whole('closeTimeoutMs', closeTimeoutMs, 1, longestTimerMs);
  const waiting = { maxPendingMessages, maxPendingBytes };
  const settings = { dialect, ...waiting, outage, maxBufferedBytes, maxBufferedMs, closeTimeoutMs };
  return { connect, settings, onUncertain };
}

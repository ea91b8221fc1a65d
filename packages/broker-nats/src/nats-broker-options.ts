import { type BrokerOptions, MicroError } from '@ts-micro/core';
import type { NatsPluginOptions } from '@ts-micro/nats';
import type { BrokerFormat } from './message-format.ts';

/** What becomes of what is published while the connection is lost: it is refused at once, or kept, in order, until it is back. */
export type OutagePolicy = 'refuse' | 'buffer';

/** How to connect, and what to publish. */
export interface NatsBrokerOptions extends NatsPluginOptions {
  /** What is published; a subscriber understands either. @default 'envelope' */
  readonly format?: BrokerFormat | undefined;
  /** How many messages of one subscription may wait for its handlers. Those beyond are dropped, logged and reported to `onError` as `unavailable`. @default 65536 */
  readonly maxPendingMessages?: number | undefined;
  /**
   * `refuse`: `publish` rejects with `unavailable` while the connection is lost. `buffer`: it waits, and resolves once the message is written
   * after the reconnect, or rejects with `unavailable` where a bound below is passed first.
   * @default 'refuse'
   */
  readonly outage?: OutagePolicy | undefined;
  /** How many bytes may wait for the connection, 512 more counted for each message. @default 8388608 */
  readonly maxBufferedBytes?: number | undefined;
  /** How long a message may wait for the connection. @default 30000 */
  readonly maxBufferedMs?: number | undefined;
  /** Told at each loss of the connection how many messages were written before it, without a word from the server that it has them. @default a line in the log */
  readonly onUncertain?: ((count: number) => void) | undefined;
  /** How long closing a subscriber waits for its handlers and for what arrived before. @default 10000 */
  readonly closeTimeoutMs?: number | undefined;
}

/** {@link NatsBrokerOptions} of the broker itself with defaults filled in. */
export interface NatsBrokerSettings extends BrokerOptions {
  readonly format: BrokerFormat;
  readonly maxPendingMessages: number;
  readonly outage: OutagePolicy;
  readonly maxBufferedBytes: number;
  readonly maxBufferedMs: number;
  readonly closeTimeoutMs: number;
}

const policies: readonly string[] = ['refuse', 'buffer'] satisfies OutagePolicy[];
const formats: readonly string[] = ['envelope', 'native'] satisfies BrokerFormat[];
// setTimeout takes no more.
const longestTimerMs = 2 ** 31 - 1;

/** Splits the options into those of the connection and those of the broker. Throws `invalid` naming the option and its value. */
export function checkBrokerOptions({
  format = 'envelope',
  maxPendingMessages = 65_536,
  outage = 'refuse',
  maxBufferedBytes = 8 * 1024 * 1024,
  maxBufferedMs = 30_000,
  onUncertain,
  closeTimeoutMs = 10_000,
  ...connect
}: NatsBrokerOptions): {
  readonly connect: NatsPluginOptions;
  readonly settings: Omit<NatsBrokerSettings, 'addresses'>;
  readonly onUncertain: ((count: number) => void) | undefined;
} {
  if (!formats.includes(format)) throw invalid('option format', format, `one of ${formats.join(', ')}`);
  if (!policies.includes(outage)) throw invalid('option outage', outage, `one of ${policies.join(', ')}`);
  checkWhole('option maxPendingMessages', maxPendingMessages);
  checkWhole('option maxBufferedBytes', maxBufferedBytes);
  checkWhole('option maxBufferedMs', maxBufferedMs, longestTimerMs);
  if (onUncertain !== undefined && typeof onUncertain !== 'function') {
    throw invalid('option onUncertain', onUncertain, 'a function');
  }
  checkWhole('option closeTimeoutMs', closeTimeoutMs, longestTimerMs);
  const settings = { format, maxPendingMessages, outage, maxBufferedBytes, maxBufferedMs, closeTimeoutMs };
  return { connect, settings, onUncertain };
}

/** Throws `invalid` unless `value` is a whole number from 1 up to `most`. */
export function checkWhole(what: string, value: number, most: number = Number.MAX_SAFE_INTEGER): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw invalid(what, value, 'a whole number from 1 up');
}

function invalid(what: string, value: unknown, rule: string): MicroError {
  return new MicroError('invalid', `nats broker: ${what} is ${String(value)}, not ${rule}`);
}

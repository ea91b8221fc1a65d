import { type BrokerOptions, MicroError } from '@ts-micro/core';
import type { NatsPluginOptions } from '@ts-micro/nats';
import type { BrokerFormat } from './message-format.ts';

/** How to connect, and what to publish. */
export interface NatsBrokerOptions extends NatsPluginOptions {
  /** What is published; a subscriber understands either. @default 'envelope' */
  readonly format?: BrokerFormat | undefined;
  /** How many messages of one subscription may wait for its handlers. Those beyond are dropped, logged and reported to `onError` as `unavailable`. @default 65536 */
  readonly maxPendingMessages?: number | undefined;
  /** How long closing a subscriber waits for its handlers and for what arrived before. @default 10000 */
  readonly closeTimeoutMs?: number | undefined;
}

/** {@link NatsBrokerOptions} of the broker itself with defaults filled in. */
export interface NatsBrokerSettings extends BrokerOptions {
  readonly format: BrokerFormat;
  readonly maxPendingMessages: number;
  readonly closeTimeoutMs: number;
}

const formats: readonly string[] = ['envelope', 'native'] satisfies BrokerFormat[];
// setTimeout takes no more.
const longestTimerMs = 2 ** 31 - 1;

/** Splits the options into those of the connection and those of the broker. Throws `invalid` naming the option and its value. */
export function checkBrokerOptions({
  format = 'envelope',
  maxPendingMessages = 65_536,
  closeTimeoutMs = 10_000,
  ...connect
}: NatsBrokerOptions): {
  readonly connect: NatsPluginOptions;
  readonly settings: Omit<NatsBrokerSettings, 'addresses'>;
} {
  if (!formats.includes(format)) throw invalid('option format', format, `one of ${formats.join(', ')}`);
  checkWhole('option maxPendingMessages', maxPendingMessages);
  checkWhole('option closeTimeoutMs', closeTimeoutMs, longestTimerMs);
  return { connect, settings: { format, maxPendingMessages, closeTimeoutMs } };
}

/** Throws `invalid` unless `value` is a whole number from 1 up to `most`. */
export function checkWhole(what: string, value: number, most: number = Number.MAX_SAFE_INTEGER): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw invalid(what, value, 'a whole number from 1 up');
}

function invalid(what: string, value: unknown, rule: string): MicroError {
  return new MicroError('invalid', `nats broker: ${what} is ${String(value)}, not ${rule}`);
}

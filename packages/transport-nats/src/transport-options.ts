import { MicroError } from '@ts-micro/core';
import { checkSubject, type NatsPluginOptions } from '@ts-micro/nats';
import type { DialectChoice } from './dialect.ts';

export interface NatsTransportOptions extends NatsPluginOptions {
  /**
   * What to speak. `auto`: frames (`docs/native-dialect.md`) with who is dialled with metadata that says so, and Go Micro's envelope with
   * everybody else. `go`: only Go Micro's envelope. @default 'auto'
   */
  readonly dialect?: DialectChoice | undefined;
  /** The largest body that is sent or taken in frames, in bytes. @default 134217728 (128 MiB) */
  readonly maxMessageBytes?: number | undefined;
  /**
   * What large messages that have not come whole yet may hold at one listener, in bytes; the first part of one more fails its socket with
   * `unavailable`, unless it is the only one. @default 8 times `maxMessageBytes`
   */
  readonly maxReassemblyBytes?: number | undefined;
  /** What begins the addresses that `listen()` makes up. @default `inboxPrefix` */
  readonly addressPrefix?: string | undefined;
  /** How long a listener's socket may be without a message in either direction before its peer counts as gone. @default 60000, as in Go Micro */
  readonly idleTimeoutMs?: number | undefined;
  /** Sockets that one listener has at once; beyond it dialling is refused as if nobody listened. @default 65536 */
  readonly maxSockets?: number | undefined;
  /** Messages that one socket holds which were not received yet; one more fails it with `unavailable`. @default 16384 */
  readonly maxQueuedMessages?: number | undefined;
  /** How long closing a listener waits for its handlers. @default 10000 */
  readonly closeTimeoutMs?: number | undefined;
}

/** What listeners and sockets need of {@link NatsTransportOptions}, checked, with defaults filled in. */
export interface TransportSettings {
  readonly dialect: DialectChoice;
  readonly maxMessageBytes: number;
  readonly maxReassemblyBytes: number;
  readonly inboxPrefix: string | undefined;
  readonly addressPrefix: string | undefined;
  readonly idleTimeoutMs: number;
  readonly maxSockets: number;
  readonly maxQueuedMessages: number;
  readonly closeTimeoutMs: number;
}

export const who = 'nats transport';

/** Throws `invalid` naming the option and its value. */
export function checkTransportOptions(options: NatsTransportOptions): TransportSettings {
  const {
    inboxPrefix,
    addressPrefix = inboxPrefix,
    dialect = 'auto',
    maxMessageBytes = 128 * 1024 * 1024,
    maxReassemblyBytes = 8 * maxMessageBytes,
    idleTimeoutMs = 60_000,
    maxSockets = 65_536,
    maxQueuedMessages = 16_384,
    closeTimeoutMs = 10_000,
  } = options;
  if (inboxPrefix !== undefined) checkSubject(inboxPrefix, `${who}: option inboxPrefix`);
  if (addressPrefix !== undefined) checkSubject(addressPrefix, `${who}: option addressPrefix`);
  if (dialect !== 'auto' && dialect !== 'go') {
    throw new MicroError('invalid', `${who}: option dialect is ${String(dialect)}, not auto or go`);
  }
  const counts = {
    maxMessageBytes,
    maxReassemblyBytes,
    idleTimeoutMs,
    maxSockets,
    maxQueuedMessages,
    closeTimeoutMs,
  };
  for (const [option, value] of Object.entries(counts)) {
    if (Number.isSafeInteger(value) && value > 0) continue;
    throw new MicroError('invalid', `${who}: option ${option} is ${String(value)}, not a whole number above 0`);
  }
  return { inboxPrefix, addressPrefix, dialect, ...counts };
}

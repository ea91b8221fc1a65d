import { OptionChecks, type OptionNames } from '@ts-micro/kit';
import { checkSubject, type NatsPluginOptions, natsOptionNames } from '@ts-micro/nats';
import type { DialectChoice } from './dialect.ts';

export interface NatsTransportOptions extends NatsPluginOptions {
  /**
   * The dialect. `auto`: frames (`docs/native-dialect.md`) with a node whose metadata says that it understands them,
   * and Go Micro's envelope with everybody else. `go`: only Go Micro's envelope. @default 'auto'
   */
  readonly dialect?: DialectChoice | undefined;
  /** The largest body that is sent or taken in frames, in bytes. @default 134217728 (128 MiB) */
  readonly maxMessageBytes?: number | undefined;
  /**
   * The most that messages which have not come whole, or were not received yet, may hold at one listener, in bytes that
   * arrived, half of it for one dialling process; and as much for the answers to all that is dialled, half of it for
   * one address. Beyond it the socket whose last bytes came longest ago fails with `unavailable`.
   * @default 8 times `maxMessageBytes`
   */
  readonly maxReassemblyBytes?: number | undefined;
  /** The prefix of the addresses that `listen()` makes up. @default `inboxPrefix` */
  readonly addressPrefix?: string | undefined;
  /**
   * How long the peer of a socket may be quiet, in milliseconds, before it is asked whether it is still there; one that
   * speaks Go Micro's dialect cannot be asked and counts as gone then. @default 60000, as in Go Micro
   */
  readonly idleTimeoutMs?: number | undefined;
  /** Sockets that one listener has at once; beyond it dialling is refused as if nobody listened. @default 65536 */
  readonly maxSockets?: number | undefined;
  /**
   * Messages that one socket holds which were not received yet; one more fails it with `unavailable`. @default 16384
   */
  readonly maxQueuedMessages?: number | undefined;
  /**
   * Bytes that one socket holds likewise of a peer that speaks Go Micro's dialect, and one message more. In frames a
   * peer keeps to a window of 1 MiB and one message, and one that does not fails. @default 67108864 (64 MiB)
   */
  readonly maxQueuedBytes?: number | undefined;
  /** How long closing a listener waits for its handlers. @default 10000 */
  readonly closeTimeoutMs?: number | undefined;
}

/** The part of {@link NatsTransportOptions} that listeners and sockets need, checked, with defaults filled in. */
export interface TransportSettings {
  readonly dialect: DialectChoice;
  readonly maxMessageBytes: number;
  readonly maxReassemblyBytes: number;
  readonly inboxPrefix: string | undefined;
  readonly addressPrefix: string | undefined;
  readonly idleTimeoutMs: number;
  /** How often idle sockets are looked for. */
  readonly tickMs: number;
  readonly maxSockets: number;
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
  readonly closeTimeoutMs: number;
}

export const who = 'nats transport';

/** What the bytes are in that a listener, or all that is dialled, holds. */
export const unreceived = 'messages that are incomplete or were not received';

const checks = new OptionChecks(who);
const optionNames: OptionNames<NatsTransportOptions> = {
  ...natsOptionNames,
  dialect: true,
  maxMessageBytes: true,
  maxReassemblyBytes: true,
  addressPrefix: true,
  idleTimeoutMs: true,
  maxSockets: true,
  maxQueuedMessages: true,
  maxQueuedBytes: true,
  closeTimeoutMs: true,
};

/** Throws `invalid` naming the option and its value. */
export function checkTransportOptions(options: NatsTransportOptions): TransportSettings {
  checks.named(options, optionNames);
  const {
    inboxPrefix,
    addressPrefix = inboxPrefix,
    dialect = 'auto',
    maxMessageBytes = 128 * 1024 * 1024,
    idleTimeoutMs = 60_000,
    maxSockets = 65_536,
    maxQueuedMessages = 16_384,
    maxQueuedBytes = 64 * 1024 * 1024,
    closeTimeoutMs = 10_000,
  } = options;
  if (inboxPrefix !== undefined) checkSubject(inboxPrefix, `${who}: option inboxPrefix`);
  if (addressPrefix !== undefined) checkSubject(addressPrefix, `${who}: option addressPrefix`);
  checks.oneOf('dialect', dialect, ['auto', 'go']);
  checks.whole('maxMessageBytes', maxMessageBytes);
  const { maxReassemblyBytes = 8 * maxMessageBytes } = options;
  checks.whole('maxReassemblyBytes', maxReassemblyBytes);
  checks.milliseconds('idleTimeoutMs', idleTimeoutMs);
  checks.whole('maxSockets', maxSockets);
  checks.whole('maxQueuedMessages', maxQueuedMessages);
  checks.whole('maxQueuedBytes', maxQueuedBytes);
  checks.milliseconds('closeTimeoutMs', closeTimeoutMs);
  return {
    inboxPrefix,
    addressPrefix,
    dialect,
    maxMessageBytes,
    maxReassemblyBytes,
    idleTimeoutMs,
    // Eight looks in an idle time, and two a second at most.
    tickMs: Math.max(1, Math.min(500, idleTimeoutMs / 8)),
    maxSockets,
    maxQueuedMessages,
    maxQueuedBytes,
    closeTimeoutMs,
  };
}

import type { Logger } from '@ts-micro/core';
import {
  type CheckedAccess,
  checkAccess,
  OptionChecks,
  type OptionNames,
  type ServerAccess,
  serverAccessNames,
} from '@ts-micro/kit';

export interface KafkaBrokerOptions extends ServerAccess {
  /**
   * `go`: the value of a message is Go Micro's envelope, which its Kafka plugin reads. `native`: the body is the value
   * and headers are Kafka's. Both are always understood. @default 'go'
   */
  readonly dialect?: 'go' | 'native' | undefined;
  /**
   * The header whose value is a message's key: messages of one key stay in order. @default one key for all messages of
   * this broker, so that they stay in order
   */
  readonly keyHeader?: string | undefined;
  /** The longest a request may take, in milliseconds. @default 5000 */
  readonly requestTimeoutMs?: number | undefined;
  /** How long a member of a queue may be silent before its partitions go to others, in milliseconds. @default 10000 */
  readonly sessionTimeoutMs?: number | undefined;
  /** How long closing waits for running handlers, in milliseconds. @default 10000 */
  readonly closeTimeoutMs?: number | undefined;
  /** Told of handlers that throw where `subscribe` was given no `onError`. @default silent */
  readonly logger?: Logger | undefined;
}

/** Options with defaults filled in. */
export interface KafkaSettings extends CheckedAccess {
  readonly dialect: 'go' | 'native';
  readonly keyHeader: string | undefined;
  readonly requestTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly closeTimeoutMs: number;
}

export const who = 'kafka broker';

const optionNames: OptionNames<KafkaBrokerOptions> = {
  ...serverAccessNames,
  dialect: true,
  keyHeader: true,
  requestTimeoutMs: true,
  sessionTimeoutMs: true,
  closeTimeoutMs: true,
  logger: true,
};

/** Throws `invalid` naming the option. */
export function kafkaSettings(options: KafkaBrokerOptions): KafkaSettings {
  const checks = new OptionChecks(who);
  checks.named(options, optionNames);
  const { dialect = 'go', keyHeader, requestTimeoutMs = 5000, sessionTimeoutMs = 10_000 } = options;
  const { closeTimeoutMs = 10_000 } = options;
  checks.oneOf('dialect', dialect, ['go', 'native']);
  checks.milliseconds('requestTimeoutMs', requestTimeoutMs);
  checks.milliseconds('sessionTimeoutMs', sessionTimeoutMs);
  checks.milliseconds('closeTimeoutMs', closeTimeoutMs);
  if (keyHeader !== undefined) checks.text('keyHeader', keyHeader);
  const access = checkAccess(options, { who, schemes: ['kafka', 'kafkas'], port: 9092 });
  return { ...access, dialect, keyHeader, requestTimeoutMs, sessionTimeoutMs, closeTimeoutMs };
}

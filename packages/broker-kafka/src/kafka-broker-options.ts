import type { Logger } from '@ts-micro/core';
import { type AccessSettings, accessSettings, OptionChecks, type ServerAccess, safeLogger } from '@ts-micro/kit';

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

const defaults = {
  dialect: 'go' as const,
  keyHeader: undefined,
  requestTimeoutMs: 5000,
  sessionTimeoutMs: 10_000,
  closeTimeoutMs: 10_000,
  logger: undefined,
};

/** Options with defaults filled in. */
export type KafkaSettings = AccessSettings<KafkaBrokerOptions, typeof defaults> & { readonly logger: Logger };

export const who = 'kafka broker';

/** Throws `invalid` naming the option. */
export function kafkaSettings(options: KafkaBrokerOptions): KafkaSettings {
  const checks = new OptionChecks(who);
  const settings = accessSettings(options, { who, schemes: ['kafka', 'kafkas'], port: 9092, defaults });
  checks.oneOf('dialect', settings.dialect, ['go', 'native']);
  checks.milliseconds('requestTimeoutMs', settings.requestTimeoutMs);
  checks.milliseconds('sessionTimeoutMs', settings.sessionTimeoutMs);
  checks.milliseconds('closeTimeoutMs', settings.closeTimeoutMs);
  if (settings.keyHeader !== undefined) checks.text('keyHeader', settings.keyHeader);
  return { ...settings, logger: safeLogger(settings.logger) };
}

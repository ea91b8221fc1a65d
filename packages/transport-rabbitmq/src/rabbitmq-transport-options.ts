import type { Logger } from '@ts-micro/core';
import {
  type CheckedAccess,
  checkAccess,
  OptionChecks,
  type OptionNames,
  type ServerAccess,
  serverAccessNames,
} from '@ts-micro/kit';

export interface RabbitmqTransportOptions extends ServerAccess {
  /** The virtual host. @default the path of the URL, else `/` */
  readonly vhost?: string | undefined;
  /** The longest a connect may take, in milliseconds. @default 5000 */
  readonly connectTimeoutMs?: number | undefined;
  /** How long closing a listener waits for its handlers, in milliseconds. @default 10000 */
  readonly closeTimeoutMs?: number | undefined;
  /** Sockets that one listener has at once; beyond it dialling is refused as if nobody listened. @default 65536 */
  readonly maxSockets?: number | undefined;
  /**
   * Bytes that were not received yet which the sockets of one listener hold, half of it for one dialling process, and
   * as much for all that is dialled; beyond it the socket whose last bytes came longest ago fails with `unavailable`.
   * @default 1073741824 (1 GiB)
   */
  readonly maxUnreceivedBytes?: number | undefined;
  /** Told of handlers that throw. @default silent */
  readonly logger?: Logger | undefined;
}

/** Options with defaults filled in. */
export interface RabbitmqSettings extends CheckedAccess {
  readonly vhost: string;
  readonly connectTimeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly maxSockets: number;
  readonly maxUnreceivedBytes: number;
}

export const who = 'rabbitmq transport';

const optionNames: OptionNames<RabbitmqTransportOptions> = {
  ...serverAccessNames,
  vhost: true,
  connectTimeoutMs: true,
  closeTimeoutMs: true,
  maxSockets: true,
  maxUnreceivedBytes: true,
  logger: true,
};

/** Throws `invalid` naming the option. */
export function rabbitmqSettings(options: RabbitmqTransportOptions): RabbitmqSettings {
  const checks = new OptionChecks(who);
  checks.named(options, optionNames);
  const {
    connectTimeoutMs = 5000,
    closeTimeoutMs = 10_000,
    maxSockets = 65_536,
    maxUnreceivedBytes = 2 ** 30,
  } = options;
  checks.milliseconds('connectTimeoutMs', connectTimeoutMs);
  checks.milliseconds('closeTimeoutMs', closeTimeoutMs);
  checks.whole('maxSockets', maxSockets);
  checks.whole('maxUnreceivedBytes', maxUnreceivedBytes);
  if (options.vhost !== undefined) checks.text('vhost', options.vhost);
  const access = checkAccess(options, { who, schemes: ['amqp', 'amqps'], port: 5672 });
  const path = decodeURIComponent(access.urls[0]?.pathname.slice(1) ?? '');
  return {
    ...access,
    vhost: options.vhost ?? (path || '/'),
    connectTimeoutMs,
    closeTimeoutMs,
    maxSockets,
    maxUnreceivedBytes,
  };
}

import type { Logger } from '@ts-micro/core';
import { type AccessSettings, accessSettings, OptionChecks, type ServerAccess } from '@ts-micro/kit';

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

const defaults = {
  vhost: undefined,
  connectTimeoutMs: 5000,
  closeTimeoutMs: 10_000,
  maxSockets: 65_536,
  maxUnreceivedBytes: 1_073_741_824,
  logger: undefined,
};

/** Options with defaults filled in. */
export type RabbitmqSettings = AccessSettings<RabbitmqTransportOptions, typeof defaults> & { readonly vhost: string };

export const who = 'rabbitmq transport';

/** Throws `invalid` naming the option. */
export function rabbitmqSettings(options: RabbitmqTransportOptions): RabbitmqSettings {
  const checks = new OptionChecks(who);
  const settings = accessSettings(options, { who, schemes: ['amqp', 'amqps'], port: 5672, defaults });
  const { path, vhost } = settings;
  checks.milliseconds('connectTimeoutMs', settings.connectTimeoutMs);
  checks.milliseconds('closeTimeoutMs', settings.closeTimeoutMs);
  checks.whole('maxSockets', settings.maxSockets);
  checks.whole('maxUnreceivedBytes', settings.maxUnreceivedBytes);
  if (vhost !== undefined) checks.text('vhost', vhost);
  return { ...settings, vhost: vhost ?? (path || '/') };
}

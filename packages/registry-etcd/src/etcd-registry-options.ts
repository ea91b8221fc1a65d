import { type AccessSettings, accessSettings, OptionChecks, type ServerAccess } from '@ts-micro/kit';

export interface EtcdRegistryOptions extends ServerAccess {
  /** Begins every key; Go Micro's, so that both find each other. @default '/micro/registry/' */
  readonly prefix?: string | undefined;
  /** How long a member may take to answer before the next one is asked, in milliseconds. @default 5000 */
  readonly requestTimeoutMs?: number | undefined;
  /** How often the member that is watched is asked whether it is there, in milliseconds. @default 5000 */
  readonly pingIntervalMs?: number | undefined;
}

const defaults = { prefix: '/micro/registry/', requestTimeoutMs: 5000, pingIntervalMs: 5000 };

/** Options with defaults filled in. */
export type EtcdSettings = AccessSettings<EtcdRegistryOptions, typeof defaults>;

export const who = 'etcd registry';

/** Throws `invalid` naming the option. */
export function etcdSettings(options: EtcdRegistryOptions): EtcdSettings {
  const checks = new OptionChecks(who);
  const settings = accessSettings(options, { who, schemes: ['http', 'https'], port: 2379, defaults });
  const { prefix, requestTimeoutMs, pingIntervalMs } = settings;
  checks.milliseconds('requestTimeoutMs', requestTimeoutMs);
  checks.milliseconds('pingIntervalMs', pingIntervalMs);
  checks.text('prefix', prefix);
  return { ...settings, prefix: prefix.endsWith('/') ? prefix : `${prefix}/` };
}

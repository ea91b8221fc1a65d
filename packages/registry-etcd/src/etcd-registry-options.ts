import {
  type CheckedAccess,
  checkAccess,
  OptionChecks,
  type OptionNames,
  type ServerAccess,
  serverAccessNames,
} from '@ts-micro/kit';

export interface EtcdRegistryOptions extends ServerAccess {
  /** Begins every key; Go Micro's, so that both find each other. @default '/micro/registry/' */
  readonly prefix?: string | undefined;
  /** How long a member may take to answer before the next one is asked, in milliseconds. @default 5000 */
  readonly requestTimeoutMs?: number | undefined;
  /** How often the member that is watched is asked whether it is there, in milliseconds. @default 5000 */
  readonly pingIntervalMs?: number | undefined;
}

/** Options with defaults filled in. */
export interface EtcdSettings extends CheckedAccess {
  readonly prefix: string;
  readonly requestTimeoutMs: number;
  readonly pingIntervalMs: number;
}

export const who = 'etcd registry';

const optionNames: OptionNames<EtcdRegistryOptions> = {
  ...serverAccessNames,
  prefix: true,
  requestTimeoutMs: true,
  pingIntervalMs: true,
};

/** Throws `invalid` naming the option. */
export function etcdSettings(options: EtcdRegistryOptions): EtcdSettings {
  const checks = new OptionChecks(who);
  checks.named(options, optionNames);
  const { prefix = '/micro/registry/', requestTimeoutMs = 5000, pingIntervalMs = 5000 } = options;
  checks.milliseconds('requestTimeoutMs', requestTimeoutMs);
  checks.milliseconds('pingIntervalMs', pingIntervalMs);
  checks.text('prefix', prefix);
  return {
    ...checkAccess(options, { who, schemes: ['http', 'https'], port: 2379 }),
    prefix: prefix.endsWith('/') ? prefix : `${prefix}/`,
    requestTimeoutMs,
    pingIntervalMs,
  };
}

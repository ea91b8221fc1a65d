import { type AccessSettings, accessSettings, OptionChecks, type ServerAccess } from '@ts-micro/kit';

export interface EtcdRegistryOptions extends ServerAccess {
  /** Begins every key; Go Micro's, so that both find each other. @default '/micro/registry/' */
  readonly prefix?: string | undefined;
  /** How long a member may take to answer before the next one is asked, in milliseconds. @default 5000 */
  readonly requestTimeoutMs?: number | undefined;
  /** How often the member that is watched is asked whether it is there, in milliseconds. @default 5000 */
  readonly pingIntervalMs?: number | undefined;
  /** The most nodes that a lookup returns, and that a watcher knows; the others are left out. @default 20000 */
  readonly maxNodes?: number | undefined;
  /** The memory that they may take, in bytes, roughly; beyond, the same. @default 67108864 (64 MiB) */
  readonly maxBytes?: number | undefined;
  /** The longest node in bytes that is stored, and read. @default 1048576 (1 MiB) */
  readonly maxRecordBytes?: number | undefined;
}

const defaults = {
  prefix: '/micro/registry/',
  requestTimeoutMs: 5000,
  pingIntervalMs: 5000,
  maxNodes: 20_000,
  maxBytes: 67_108_864,
  maxRecordBytes: 1_048_576,
};

/** Options with defaults filled in. */
export type EtcdSettings = AccessSettings<EtcdRegistryOptions, typeof defaults>;

export const who = 'etcd registry';

/** Throws `invalid` naming the option. */
export function etcdSettings(options: EtcdRegistryOptions): EtcdSettings {
  const checks = new OptionChecks(who);
  const settings = accessSettings(options, { who, schemes: ['http', 'https'], port: 2379, defaults });
  const { prefix, requestTimeoutMs, pingIntervalMs, maxNodes, maxBytes, maxRecordBytes } = settings;
  checks.milliseconds('requestTimeoutMs', requestTimeoutMs);
  checks.milliseconds('pingIntervalMs', pingIntervalMs);
  for (const [option, value] of Object.entries({ maxNodes, maxBytes, maxRecordBytes })) checks.whole(option, value);
  checks.text('prefix', prefix);
  return { ...settings, prefix: prefix.endsWith('/') ? prefix : `${prefix}/` };
}

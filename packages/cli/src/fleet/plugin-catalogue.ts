import '@ts-micro/broker-jetstream/register';
import '@ts-micro/broker-nats/register';
import '@ts-micro/memory/register';
import '@ts-micro/registry-nats/register';
import '@ts-micro/registry-nats-kv/register';
import '@ts-micro/transport-nats/register';
import { type Environment, type FlaggedPlugins, type FromFlagsOptions, fromFlags } from '@ts-micro/service';

/** Makes the plugins that flags and environment choose, as `fromFlags` does; where neither does, they are `nats`. */
export function chosenPlugins(argv: readonly string[], env: Environment, options: FromFlagsOptions): FlaggedPlugins {
  const chosen: Record<string, string | undefined> = { ...env };
  for (const kind of ['MICRO_TRANSPORT', 'MICRO_BROKER', 'MICRO_REGISTRY']) chosen[kind] = env[kind]?.trim() || 'nats';
  return fromFlags(argv, chosen, options);
}

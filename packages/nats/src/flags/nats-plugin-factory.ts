import type { PluginFlag, PluginOptions } from '@ts-micro/core';
import type { NatsPluginOptions } from '../connection/shared-connection.ts';
import { natsFlagOptions, natsFlags } from './nats-flags.ts';

/** A factory as a `/register` entry registers it. */
export interface NatsPluginFactory<P> {
  (options: PluginOptions): P;
  readonly flags: readonly PluginFlag[];
}

/**
 * Returns what registers a plugin on NATS: `registerPlugin('broker', 'nats', natsPluginFactory(natsBroker))`.
 *
 * All that are registered with one prefix take the same flags, `--nats_user`, `--nats_tls_ca` and so on; those called
 * `nats` share one connection where no address of their own keeps them apart. Making one throws `invalid` naming the
 * setting that is wrong. `prefix` is `nats` unless it is given.
 */
export function natsPluginFactory<P>(
  make: (options: NatsPluginOptions) => P,
  prefix: string = 'nats',
): NatsPluginFactory<P> {
  return Object.assign((options: PluginOptions) => make(natsFlagOptions(options, prefix)), {
    flags: natsFlags(prefix),
  });
}

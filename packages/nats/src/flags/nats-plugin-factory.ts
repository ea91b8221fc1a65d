import type { PluginFlag, PluginOptions } from '@ts-micro/core';
import { PluginSettings } from '@ts-micro/kit';
import type { NatsPluginOptions } from '../connection/shared-connection.ts';
import { natsFlagOptions, natsFlags } from './nats-flags.ts';

/** A factory as a `/register` entry registers it. */
export interface NatsPluginFactory<P> {
  (options: PluginOptions): P;
  readonly flags: readonly PluginFlag[];
}

/** Settings that a plugin has beside those of its connection. */
interface OwnSettings<O> {
  /** Begins the message of every error: `jetstream broker`. */
  readonly who: string;
  readonly flags: readonly PluginFlag[];
  readonly optionsOf: (settings: PluginSettings) => O;
}

/**
 * Returns what registers a plugin on NATS: `registerPlugin('broker', 'nats', natsPluginFactory(natsBroker))`.
 *
 * All that are registered with one prefix take the same flags, `--nats_user`, `--nats_tls_ca` and so on; those called
 * `nats` share one connection where no address of their own keeps them apart. Making one throws `invalid` naming the
 * setting that is wrong. `prefix` is `nats` unless it is given; `own` are settings that only this plugin has.
 */
export function natsPluginFactory<P, O extends object = object>(
  make: (options: NatsPluginOptions & O) => P,
  prefix: string = 'nats',
  own?: OwnSettings<O>,
): NatsPluginFactory<P> {
  const factory = (options: PluginOptions): P => {
    const ownOptions = own?.optionsOf(new PluginSettings(own.who, options.settings));
    return make({ ...natsFlagOptions(options, prefix), ...ownOptions } as NatsPluginOptions & O);
  };
  return Object.assign(factory, { flags: [...(own?.flags ?? []), ...natsFlags(prefix)] });
}

import type { PluginFlag } from '@ts-micro/core';
import type { PluginSettings } from '@ts-micro/kit';
import { type NatsPluginFactory, natsPluginFactory } from '@ts-micro/nats';
import type { EventDialect } from './event-form.ts';
import { type JetStreamBrokerOptions, who } from './jetstream-broker-options.ts';

const prefix = 'jetstream';

const flags: readonly PluginFlag[] = [
  { name: 'jetstream_dialect', about: 'how events are stored: plain, or natsjs, for events.Stream of Go Micro' },
  { name: 'jetstream_stream', about: 'the stream of all topics' },
  { name: 'jetstream_subject_prefix', about: 'what begins the subjects of that stream: micro.events' },
  { name: 'jetstream_storage', about: 'file or memory' },
  { name: 'jetstream_replicas', about: 'on how many servers a message is stored' },
  { name: 'jetstream_max_age', about: 'how long messages are kept: 168h' },
  { name: 'jetstream_manage', about: 'false: use streams and consumers that are there, and make none' },
  { name: 'jetstream_ack_wait', about: 'how long a member that died keeps a message: 15s' },
  { name: 'jetstream_prefetch', about: 'messages a member takes beyond those it handles' },
  { name: 'jetstream_domain', about: 'the JetStream domain' },
];

/**
 * Returns what registers the broker: its own settings, and those of a NATS connection as `jetstream_user` and so on.
 */
export function jetstreamFactory<P>(make: (options: JetStreamBrokerOptions) => P): NatsPluginFactory<P> {
  return natsPluginFactory(make, prefix, { who, flags, optionsOf });
}

function optionsOf(settings: PluginSettings): JetStreamBrokerOptions {
  return {
    dialect: settings.text('jetstream_dialect') as EventDialect | undefined,
    stream: {
      name: settings.text('jetstream_stream'),
      storage: settings.text('jetstream_storage') as 'file' | 'memory' | undefined,
      replicas: settings.whole('jetstream_replicas'),
      maxAgeMs: settings.milliseconds('jetstream_max_age'),
    },
    subjectPrefix: settings.text('jetstream_subject_prefix'),
    domain: settings.text('jetstream_domain'),
    manage: settings.boolean('jetstream_manage'),
    ackWaitMs: settings.milliseconds('jetstream_ack_wait'),
    prefetch: settings.whole('jetstream_prefetch'),
  };
}

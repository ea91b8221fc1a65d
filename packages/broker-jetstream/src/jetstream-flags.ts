import { MicroError, type PluginFlag, type PluginOptions } from '@ts-micro/core';
import { parseGoDuration } from '@ts-micro/kit';
import { type NatsPluginFactory, natsPluginFactory } from '@ts-micro/nats';
import type { JetStreamBrokerOptions } from './jetstream-broker-options.ts';

const prefix = 'jetstream';

const ownFlags: readonly PluginFlag[] = [
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
  const factory = (options: PluginOptions): P => {
    const own = optionsOf(options.settings ?? {});
    return natsPluginFactory((connect) => make({ ...connect, ...own }), prefix)(options);
  };
  return Object.assign(factory, { flags: [...ownFlags, ...natsPluginFactory(make, prefix).flags] });
}

function optionsOf(settings: Readonly<Record<string, string>>): JetStreamBrokerOptions {
  const { jetstream_stream: name, jetstream_subject_prefix: subjectPrefix, jetstream_domain: domain } = settings;
  return {
    stream: {
      name,
      storage: settings.jetstream_storage as 'file' | 'memory' | undefined,
      replicas: number(settings, 'jetstream_replicas'),
      maxAgeMs: milliseconds(settings, 'jetstream_max_age'),
    },
    subjectPrefix,
    domain,
    manage: trueOrFalse(settings, 'jetstream_manage'),
    ackWaitMs: milliseconds(settings, 'jetstream_ack_wait'),
    prefetch: number(settings, 'jetstream_prefetch'),
  };
}

function number(settings: Readonly<Record<string, string>>, name: string): number | undefined {
  const text = settings[name];
  if (text === undefined) return undefined;
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw invalid(name, text, 'a whole number');
}

function milliseconds(settings: Readonly<Record<string, string>>, name: string): number | undefined {
  const text = settings[name];
  if (text === undefined) return undefined;
  const ms = parseGoDuration(text);
  if (ms !== undefined && ms >= 1) return Math.round(ms);
  throw invalid(name, text, 'a duration such as 500ms or 5s');
}

function trueOrFalse(settings: Readonly<Record<string, string>>, name: string): boolean | undefined {
  const text = settings[name]?.toLowerCase();
  if (text === undefined) return undefined;
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw invalid(name, text, 'true or false');
}

function invalid(name: string, text: string, rule: string): MicroError {
  return new MicroError('invalid', `jetstream broker: setting ${name} is ${JSON.stringify(text)}, not ${rule}`);
}

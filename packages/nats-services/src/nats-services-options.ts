import type { Logger } from '@ts-micro/core';
import { OptionChecks, type OptionNames, safeLogger } from '@ts-micro/kit';
import { checkQueue, checkSubject, type NatsPluginOptions, natsOptionNames } from '@ts-micro/nats';
import type { Service } from '@ts-micro/service';
import { identityOf, type ServiceIdentity } from './service-identity.ts';

export interface NatsServicesOptions extends NatsPluginOptions {
  /**
   * The name that NATS' tools show: letters, digits, `-` and `_`. @default the service's, other characters as `-`
   */
  readonly serviceName?: string | undefined;
  /** A semantic version: `1.2.0`. @default the service's */
  readonly serviceVersion?: string | undefined;
  /** Shown by `nats micro info`. @default '' */
  readonly description?: string | undefined;
  /** Begins the subjects of endpoints: `greeter` for `greeter.Greeter.Hello`. @default the service's name */
  readonly subjectPrefix?: string | undefined;
  /** The queue group that the instances of a service share. @default 'q', as everywhere in NATS' services protocol */
  readonly queue?: string | undefined;
  /**
   * The time a handler has for a plain request, in milliseconds, as such a request does not say how long its sender
   * waits. @default 30000
   */
  readonly timeoutMs?: number | undefined;
}

/** {@link NatsServicesOptions} checked, defaults filled in. */
export interface NatsServicesSettings {
  readonly identity: ServiceIdentity;
  readonly subjectPrefix: string;
  readonly queue: string;
  readonly timeoutMs: number;
  readonly logger: Logger;
  readonly plugin: NatsPluginOptions;
}

/** Begins the message of every error. */
export const who = 'nats services';

const checks = new OptionChecks(who);
const optionNames: OptionNames<NatsServicesOptions> = {
  ...natsOptionNames,
  serviceName: true,
  serviceVersion: true,
  description: true,
  subjectPrefix: true,
  queue: true,
  timeoutMs: true,
};

/** Throws `invalid` naming the option and its value. */
export function checkNatsServicesOptions(service: Service, options: NatsServicesOptions): NatsServicesSettings {
  checks.methods('service', service, 'attach', 'invoke');
  checks.named(options, optionNames);
  const {
    serviceName,
    serviceVersion,
    description = '',
    subjectPrefix = service.name,
    queue = 'q',
    timeoutMs = 30_000,
    ...plugin
  } = options;
  if (typeof description !== 'string') throw checks.invalid('description', description, 'a text');
  checkSubject(subjectPrefix, `${who}: option subjectPrefix`);
  checkQueue(queue, who);
  checks.milliseconds('timeoutMs', timeoutMs);
  return {
    identity: identityOf(who, service, { serviceName, serviceVersion }, description),
    subjectPrefix,
    queue,
    timeoutMs,
    logger: safeLogger(options.logger),
    plugin,
  };
}

import { type PluginOptions, registerPlugin } from '@ts-micro/core';
import { accessFlags, accessFromSettings } from '@ts-micro/kit';
import { rabbitmqTransport } from '@ts-micro/transport-rabbitmq';

const flags = [...accessFlags('rabbitmq'), { name: 'rabbitmq_vhost', about: 'the virtual host: /' }];

const factory = (options: PluginOptions) =>
  rabbitmqTransport({
    ...accessFromSettings('rabbitmq', options),
    vhost: options.settings?.rabbitmq_vhost,
    logger: options.logger,
  });

registerPlugin('transport', 'rabbitmq', Object.assign(factory, { flags }));

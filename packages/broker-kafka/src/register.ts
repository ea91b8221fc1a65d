import { kafkaBroker } from '@ts-micro/broker-kafka';
import { type PluginOptions, registerPlugin } from '@ts-micro/core';
import { accessFlags, accessFromSettings } from '@ts-micro/kit';

const flags = [
  ...accessFlags('kafka'),
  { name: 'kafka_dialect', about: "go: Go Micro's envelope; native: plain values and headers" },
  { name: 'kafka_key_header', about: 'the header whose value is the key of a message' },
];

const factory = (options: PluginOptions) =>
  kafkaBroker({
    ...accessFromSettings('kafka', options),
    dialect: options.settings?.kafka_dialect as 'go' | 'native' | undefined,
    keyHeader: options.settings?.kafka_key_header,
    logger: options.logger,
  });

registerPlugin('broker', 'kafka', Object.assign(factory, { flags }));

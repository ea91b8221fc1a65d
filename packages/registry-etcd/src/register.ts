import { type PluginOptions, registerPlugin } from '@ts-micro/core';
import { accessFlags, accessFromSettings } from '@ts-micro/kit';
import { etcdRegistry } from '@ts-micro/registry-etcd';

const flags = [...accessFlags('etcd'), { name: 'etcd_prefix', about: 'what begins every key: /micro/registry/' }];

const factory = (options: PluginOptions) =>
  etcdRegistry({ ...accessFromSettings('etcd', options), prefix: options.settings?.etcd_prefix });

registerPlugin('registry', 'etcd', Object.assign(factory, { flags }));

import { registerPlugin } from '@ts-micro/core';
import { accessPlugin } from '@ts-micro/kit';
import { etcdRegistry } from '@ts-micro/registry-etcd';

const own = { prefix: 'what begins every key: /micro/registry/' };

registerPlugin('registry', 'etcd', accessPlugin('etcd', etcdRegistry, own));

export { etcdRegistry } from './etcd-registry.ts';

export type { EtcdRegistryOptions } from './etcd-registry-options.ts';

export { startEtcd } from './start-etcd.ts';

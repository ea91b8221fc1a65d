export type { ChaosProxy, ChaosProxyOptions } from './nats/chaos-proxy.ts';
export { startChaosProxy } from './nats/chaos-proxy.ts';
export { findNatsServer } from './nats/find-nats-server.ts';
export type { NatsCluster, NatsClusterOptions } from './nats/nats-cluster.ts';
export { startNatsCluster } from './nats/nats-cluster.ts';
export type { NatsServer, NatsServerCounts, NatsServerOptions } from './nats/nats-server.ts';
export { startNatsServer } from './nats/nats-server.ts';
export type { NatsWorld, NatsWorldOptions } from './nats/nats-world.ts';
export { startNatsWorld } from './nats/nats-world.ts';

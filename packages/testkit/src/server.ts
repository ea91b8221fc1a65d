export type { ChaosProxy, ChaosProxyOptions } from './server/chaos-proxy.ts';
export { startChaosProxy } from './server/chaos-proxy.ts';
export type { FindProgramOptions } from './server/find-program.ts';
export { findProgram } from './server/find-program.ts';
export { freePorts } from './server/free-ports.ts';
export type { RestartOptions, Server, ServerPlace } from './server/server.ts';
export type { ServerOptions } from './server/start-server.ts';
export { startServer } from './server/start-server.ts';

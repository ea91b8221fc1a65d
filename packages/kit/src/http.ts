// For backends that are asked in JSON over HTTP. Apart, because Node's `http` costs a start that others do without.

export type { HttpServersOptions, PostOptions } from './http/http-servers.ts';
export { HttpServers } from './http/http-servers.ts';
export { linesOf } from './http/lines-of.ts';

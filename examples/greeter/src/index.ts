export { createGreeter } from './greeter.ts';
export { greeter } from './greeter-definition.ts';

export type { Greeter, GreeterPlugins } from './greeter.ts';

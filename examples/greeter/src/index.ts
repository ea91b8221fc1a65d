export { createGreeter } from './greeter.ts';

export type { Greeter, GreeterPlugins } from './greeter.ts';

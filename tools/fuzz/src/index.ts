export { fuzz } from './fuzz-target.ts';
export { must } from './must.ts';

export type { FuzzTarget } from './fuzz-target.ts';

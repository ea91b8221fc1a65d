export { probes } from './probes.ts';

export type { ProbedService, Probes, ProbesOptions } from './probes.ts';

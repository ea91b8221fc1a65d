import type { Workload } from '../workload.ts';
import { p50, p99, unaryWorkload } from './unary.ts';

export const unary1: Workload = unaryWorkload({
  name: 'unary-1',
  title: 'Unary calls of 128 B JSON, one at a time',
  contenders: [
    'raw',
    'raw-again',
    'multiplexer',
    'multiplexer-envelope',
    'ts-micro',
    'ts-micro-envelope',
    'moleculer',
    'nest',
    'go-micro',
  ],
  plan: { inFlight: 1, hasLatencies: true },
  targets: [
    { row: 'unary, 1 in flight, p50', of: 'ts-micro', to: 'raw', figure: p50, atMost: 1.05 },
    { row: 'unary, 1 in flight, p99', of: 'ts-micro', to: 'raw', figure: p99, atMost: 1.1 },
  ],
});

import type { Workload } from '../workload.ts';
import { callsPerSecond, unaryWorkload } from './unary.ts';

export const unary256: Workload = unaryWorkload({
  name: 'unary-256',
  title: 'Unary calls of 128 B JSON, 256 in flight',
  contenders: ['raw', 'raw-again', 'multiplexer', 'multiplexer-envelope', 'ts-micro', 'ts-micro-envelope', 'moleculer'],
  plan: { inFlight: 256 },
  targets: [
    {
      row: 'unary, 256 in flight, native',
      of: 'ts-micro',
      to: 'multiplexer',
      figure: callsPerSecond,
      atLeast: 0.85,
    },
  ],
});

import type { Workload } from '../workload.ts';
import { callsPerSecond, unaryWorkload } from './unary.ts';

const row = 'unary, 4 KiB byte bodies, 64 in flight';

export const unary4Kib: Workload = unaryWorkload({
  name: 'unary-4kib',
  title: 'Unary calls of 4 KiB of bytes, 64 in flight',
  contenders: ['raw', 'raw-again', 'multiplexer', 'multiplexer-envelope', 'ts-micro', 'ts-micro-envelope'],
  plan: { inFlight: 64, bytes: 4096 },
  targets: [
    { row: `${row}, native`, of: 'ts-micro', to: 'raw', figure: callsPerSecond, atLeast: 1.4 },
    { row: `${row}, envelope`, of: 'ts-micro-envelope', to: 'raw', figure: callsPerSecond, atLeast: 0.95 },
  ],
});

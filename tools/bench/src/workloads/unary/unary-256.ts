import type { Workload } from '../workload.ts';
import { callsPerSecond, unaryWorkload } from './unary.ts';

const native = 'unary, 256 in flight, native';

export const unary256: Workload = unaryWorkload({
  name: 'unary-256',
  title: 'Unary calls of 128 B JSON, 256 in flight',
  contenders: ['raw', 'raw-again', 'multiplexer', 'multiplexer-envelope', 'ts-micro', 'ts-micro-envelope', 'moleculer'],
  plan: { inFlight: 256 },
  targets: [
    { row: native, of: 'ts-micro', to: 'multiplexer', figure: callsPerSecond, atLeast: 0.95 },
    { row: native, of: 'ts-micro', to: 'raw', figure: callsPerSecond, atLeast: 2.3 },
    { row: native, of: 'ts-micro', to: 'moleculer', figure: callsPerSecond, atLeast: 1.3 },
  ],
});

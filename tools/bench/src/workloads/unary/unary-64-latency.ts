import type { Workload } from '../workload.ts';
import { p99, unaryWorkload } from './unary.ts';

export const unary64Latency: Workload = unaryWorkload({
  name: 'unary-64-latency',
  title: 'How long calls of 128 B JSON take, 64 in flight',
  contenders: ['raw', 'raw-again', 'multiplexer', 'ts-micro', 'ts-micro-envelope', 'moleculer'],
  plan: { inFlight: 64, hasLatencies: true },
  targets: [{ row: 'unary, 64 in flight, p99', of: 'ts-micro', to: 'raw', figure: p99, atMost: 1 }],
});

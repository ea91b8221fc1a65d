import type { Workload } from '../workload.ts';
import { clientCpu, serverCpu, unaryWorkload } from './unary.ts';

export const unaryTyped: Workload = unaryWorkload({
  name: 'unary-typed',
  title: 'Unary calls of 128 B JSON, typed and untyped, 64 in flight',
  contenders: ['ts-micro', 'ts-micro-typed', 'ts-micro-zod', 'ts-micro-valibot'],
  plan: { inFlight: 64 },
  targets: [
    { row: 'client CPU per call, typed', of: 'ts-micro-typed', to: 'ts-micro', figure: clientCpu, atMost: 1.15 },
    { row: 'server CPU per call, typed', of: 'ts-micro-typed', to: 'ts-micro', figure: serverCpu, atMost: 1.15 },
  ],
});

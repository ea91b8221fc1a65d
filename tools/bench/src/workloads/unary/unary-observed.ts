import type { Workload } from '../workload.ts';
import { clientCpu, serverCpu, unaryWorkload } from './unary.ts';

const of = 'ts-micro-observed';
const to = 'ts-micro';

export const unaryObserved: Workload = unaryWorkload({
  name: 'unary-observed',
  title: 'Unary calls of 128 B JSON, with OpenTelemetry and no SDK, 64 in flight',
  contenders: ['ts-micro', 'ts-micro-middleware', 'ts-micro-observed'],
  plan: { inFlight: 64 },
  targets: [
    { row: 'client CPU per call, telemetry without an SDK', of, to, figure: clientCpu, atMost: 1.1 },
    { row: 'server CPU per call, telemetry without an SDK', of, to, figure: serverCpu, atMost: 1.1 },
  ],
});

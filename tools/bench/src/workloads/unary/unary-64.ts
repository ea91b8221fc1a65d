import type { Workload } from '../workload.ts';
import { callsPerSecond, clientCpu, serverCpu, unaryWorkload } from './unary.ts';

const native = 'unary, 64 in flight, native';
const envelope = 'unary, 64 in flight, envelope';

export const unary64: Workload = unaryWorkload({
  name: 'unary-64',
  title: 'Unary calls of 128 B JSON, 64 in flight',
  contenders: [
    'raw',
    'raw-again',
    'raw-no-async-traces',
    'transport-node',
    'nats-services',
    'multiplexer',
    'multiplexer-envelope',
    'ts-micro',
    'ts-micro-envelope',
    'ts-micro-lent',
    'moleculer',
    'nest',
    'go-micro',
  ],
  plan: { inFlight: 64 },
  targets: [
    { row: native, of: 'ts-micro', to: 'multiplexer', figure: callsPerSecond, atLeast: 0.95 },
    { row: native, of: 'ts-micro', to: 'raw', figure: callsPerSecond, atLeast: 2.3 },
    { row: native, of: 'ts-micro', to: 'moleculer', figure: callsPerSecond, atLeast: 1.3 },
    { row: envelope, of: 'ts-micro-envelope', to: 'multiplexer-envelope', figure: callsPerSecond, atLeast: 0.9 },
    { row: envelope, of: 'ts-micro-envelope', to: 'raw', figure: callsPerSecond, atLeast: 1.4 },
    { row: 'client CPU per call, native, 64 in flight', of: 'ts-micro', to: 'raw', figure: clientCpu, atMost: 0.35 },
    { row: 'server CPU per call, native, 64 in flight', of: 'ts-micro', to: 'raw', figure: serverCpu, atMost: 1.2 },
    {
      row: 'the same over a lent @nats-io connection',
      of: 'ts-micro-lent',
      to: 'ts-micro',
      figure: callsPerSecond,
      atLeast: 0.95,
    },
    { row: native, of: 'ts-micro', to: 'go-micro', figure: callsPerSecond, atLeast: 1 },
  ],
});

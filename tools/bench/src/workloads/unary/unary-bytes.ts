import type { Workload } from '../workload.ts';
import { callsPerSecond, unaryWorkload } from './unary.ts';

/** KiB of a body each way, and how many times raw's calls ts-micro is to make. */
const sizes: readonly (readonly [kib: number, timesRaw: number])[] = [
  [4, 2],
  [16, 1.35],
  [64, 1.05],
  [256, 1],
  [512, 1],
];

export const unaryBytes: readonly Workload[] = sizes.map(([kib, timesRaw]) => {
  const row = `unary, ${kib} KiB byte bodies, 16 in flight`;
  return unaryWorkload({
    name: `unary-bytes-${kib}kib`,
    title: `Unary calls of ${kib} KiB of bytes, 16 in flight`,
    contenders: [
      'raw',
      'raw-again',
      'multiplexer',
      'multiplexer-corked',
      'multiplexer-held',
      'multiplexer-envelope',
      'ts-micro',
      'ts-micro-envelope',
    ],
    plan: { inFlight: 16, bytes: kib * 1024 },
    targets: [
      { row: `${row}, native`, of: 'ts-micro', to: 'raw', figure: callsPerSecond, atLeast: timesRaw },
      {
        row: `${row}, envelope`,
        of: 'ts-micro-envelope',
        to: 'multiplexer-envelope',
        figure: callsPerSecond,
        atLeast: 0.95,
      },
    ],
  });
});

import { economy } from './economy.ts';
import { fleet } from './fleet.ts';
import { pingPong } from './flow/ping-pong.ts';
import { publish } from './flow/publish.ts';
import { stream } from './flow/stream.ts';
import { growth } from './growth.ts';
import { openLoop } from './load/open-loop.ts';
import { overload } from './load/overload.ts';
import { overloadNodes } from './load/overload-nodes.ts';
import { lookup } from './lookup.ts';
import { coldStart } from './process/cold-start.ts';
import { importTime } from './process/import-time.ts';
import { memory } from './process/memory.ts';
import { packageSize } from './process/package-size.ts';
import { processStart } from './process/process-start.ts';
import { stored } from './stored.ts';
import { unary1 } from './unary/unary-1.ts';
import { unary4Kib } from './unary/unary-4kib.ts';
import { unary64 } from './unary/unary-64.ts';
import { unary64Latency } from './unary/unary-64-latency.ts';
import { unary256 } from './unary/unary-256.ts';
import { unaryBytes } from './unary/unary-bytes.ts';
import { unaryLarge } from './unary/unary-large.ts';
import { unaryObserved } from './unary/unary-observed.ts';
import { unaryTyped } from './unary/unary-typed.ts';
import type { Workload } from './workload.ts';

/** Those that compare contenders side by side, which share an arena. */
export const arenaWorkloads: readonly Workload[] = [
  unary64,
  unary256,
  unary4Kib,
  ...unaryBytes,
  unary1,
  unary64Latency,
  openLoop,
  unaryTyped,
  unaryObserved,
  ...publish,
  stream,
  pingPong,
  growth,
  overload,
];

/** Those that start what they need themselves. */
export const otherWorkloads: readonly Workload[] = [
  unaryLarge,
  overloadNodes,
  stored,
  processStart,
  coldStart,
  lookup,
  fleet,
  economy,
  memory,
  importTime,
  packageSize,
];

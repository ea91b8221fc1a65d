import { coldStart } from './cold-start.ts';
import { economy } from './economy.ts';
import { fleet } from './fleet.ts';
import { growth } from './growth.ts';
import { importTime } from './import-time.ts';
import { lookup } from './lookup.ts';
import { overload } from './overload.ts';
import { packageSize } from './package-size.ts';
import { publish } from './publish.ts';
import { stored } from './stored.ts';
import { stream } from './stream.ts';
import { unary1 } from './unary/unary-1.ts';
import { unary4Kib } from './unary/unary-4kib.ts';
import { unary64 } from './unary/unary-64.ts';
import { unary256 } from './unary/unary-256.ts';
import { unaryBytes } from './unary/unary-bytes.ts';
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
  unaryTyped,
  unaryObserved,
  publish,
  stream,
  growth,
  overload,
];

/** Those that start what they need themselves. */
export const otherWorkloads: readonly Workload[] = [stored, coldStart, lookup, fleet, economy, importTime, packageSize];

import type { Row } from './row.ts';
import { clientVanishes } from './rows/client-vanishes.ts';
import { clusterRows } from './rows/cluster.ts';
import { firstConnect } from './rows/first-connect.ts';
import { gracefulStop } from './rows/graceful-stop.ts';
import { halfOpen } from './rows/half-open.ts';
import { natsRestarts } from './rows/nats-restart.ts';
import { serviceKilled } from './rows/service-killed.ts';
import { wedgedRows } from './rows/service-wedged.ts';

export const rows: readonly Row[] = [
  serviceKilled,
  ...wedgedRows,
  clientVanishes,
  ...natsRestarts,
  ...clusterRows,
  halfOpen,
  firstConnect,
  gracefulStop,
];

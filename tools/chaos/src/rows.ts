import type { Row } from './row.ts';
import { clientVanishes } from './rows/client-vanishes.ts';
import { clusterRows } from './rows/cluster.ts';
import { concurrentCalls } from './rows/concurrent-calls.ts';
import { firstConnect } from './rows/first-connect.ts';
import { gracefulStop } from './rows/graceful-stop.ts';
import { halfOpen } from './rows/half-open.ts';
import { longLife } from './rows/long-life.ts';
import { malformed } from './rows/malformed.ts';
import { natsRestarts } from './rows/nats-restart.ts';
import { publishesOutages } from './rows/publishes-outage.ts';
import { serviceKilled } from './rows/service-killed.ts';
import { wedgedRows } from './rows/service-wedged.ts';
import { slowConsumer } from './rows/slow-consumer.ts';

export const rows: readonly Row[] = [
  serviceKilled,
  ...wedgedRows,
  clientVanishes,
  ...natsRestarts,
  ...publishesOutages,
  ...clusterRows,
  halfOpen,
  firstConnect,
  gracefulStop,
  slowConsumer,
  concurrentCalls,
  malformed,
  longLife,
];

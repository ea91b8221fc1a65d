import type { Row } from './row.ts';
import { attackRows } from './rows/attack.ts';
import { fullWindow } from './rows/client-full-window.ts';
import { clientVanishes } from './rows/client-vanishes.ts';
import { clusterRows } from './rows/cluster.ts';
import { concurrentCalls } from './rows/concurrent-calls.ts';
import { firstConnect } from './rows/first-connect.ts';
import { gossipRows } from './rows/gossip.ts';
import { gracefulStop } from './rows/graceful-stop.ts';
import { halfOpen } from './rows/half-open.ts';
import { limits } from './rows/limits.ts';
import { longLife } from './rows/long-life.ts';
import { malformed } from './rows/malformed.ts';
import { natsRestarts } from './rows/nats-restart.ts';
import { permissionReload } from './rows/permission-reload.ts';
import { publishesOutages } from './rows/publishes-outage.ts';
import { relayedErrors } from './rows/relayed-errors.ts';
import { serviceKilled } from './rows/service-killed.ts';
import { wedgedRows } from './rows/service-wedged.ts';
import { slowConsumer } from './rows/slow-consumer.ts';
import { throwingLogger } from './rows/throwing-logger.ts';

export const rows: readonly Row[] = [
  serviceKilled,
  ...wedgedRows,
  clientVanishes,
  fullWindow,
  throwingLogger,
  relayedErrors,
  ...natsRestarts,
  ...publishesOutages,
  ...clusterRows,
  ...gossipRows,
  permissionReload,
  limits,
  halfOpen,
  firstConnect,
  gracefulStop,
  slowConsumer,
  concurrentCalls,
  malformed,
  ...attackRows,
  longLife,
];

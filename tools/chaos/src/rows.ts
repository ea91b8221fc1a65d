import type { Row } from './row.ts';
import { attackRows } from './rows/attack.ts';
import { fullWindow } from './rows/client-full-window.ts';
import { clientVanishes } from './rows/client-vanishes.ts';
import { concurrentCalls } from './rows/concurrent-calls.ts';
import { storedConsumerKilled } from './rows/durable/consumer-killed.ts';
import { storedDiskFull } from './rows/durable/disk-full.ts';
import { storedLeaderChanges } from './rows/durable/leader-changes.ts';
import { storedPoison } from './rows/durable/poison.ts';
import { storedServerKilled } from './rows/durable/server-killed.ts';
import { gracefulStop } from './rows/graceful-stop.ts';
import { longLife } from './rows/long-life.ts';
import { malformed } from './rows/malformed.ts';
import { relayedErrors } from './rows/relayed-errors.ts';
import { clusterRows } from './rows/servers/cluster.ts';
import { firstConnect } from './rows/servers/first-connect.ts';
import { gossipRows } from './rows/servers/gossip.ts';
import { halfOpen } from './rows/servers/half-open.ts';
import { limits } from './rows/servers/limits.ts';
import { natsRestarts } from './rows/servers/nats-restart.ts';
import { permissionReload } from './rows/servers/permission-reload.ts';
import { publishesOutages } from './rows/servers/publishes-outage.ts';
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
  storedServerKilled,
  storedConsumerKilled,
  storedLeaderChanges,
  storedDiskFull,
  storedPoison,
  longLife,
];

import type { Row } from '../matrix/row.ts';
import { etcdRows } from './backends/etcd-rows.ts';
import { kafkaRows } from './backends/kafka-rows.ts';
import { rabbitmqRows } from './backends/rabbitmq-rows.ts';
import { commandRows } from './commands/command-rows.ts';
import { natsServicesRows } from './commands/nats-services-rows.ts';
import { tsMicroRows } from './commands/ts-micro-rows.ts';
import { eventRows } from './event-rows.ts';
import { goToTsRows } from './go-to-ts-rows.ts';
import { goToTsStreamRows } from './go-to-ts-stream-rows.ts';
import { findPrometheus, prometheusRow } from './observability/prometheus-row.ts';
import { traceRows } from './observability/trace-rows.ts';
import { registryRows } from './registry-rows.ts';
import { robustnessRows } from './robustness-rows.ts';
import { storedEventRows } from './stored-event-rows.ts';
import { tsToGoRows } from './ts-to-go-rows.ts';
import { tsToGoStreamRows } from './ts-to-go-stream-rows.ts';
import { typedRows } from './typed/typed-rows.ts';

const prometheus = findPrometheus();

/** False where it is not on this machine, and its row is not part of the matrix. */
export const hasPrometheus: boolean = prometheus !== undefined;

/** The matrix, in the order it is run. */
export const rows: readonly Row[] = [
  ...tsToGoRows,
  ...tsToGoStreamRows,
  ...goToTsRows,
  ...goToTsStreamRows,
  ...typedRows,
  ...eventRows,
  ...traceRows,
  ...(prometheus === undefined ? [] : [prometheusRow(prometheus)]),
  ...storedEventRows,
  ...registryRows,
  ...etcdRows,
  ...rabbitmqRows,
  ...kafkaRows,
  ...commandRows,
  ...tsMicroRows,
  ...natsServicesRows,
  ...robustnessRows,
];

import { openTelemetry } from '@ts-micro/opentelemetry';
import type { Contender } from './contender.ts';
import { tsMicro } from './ts-micro.ts';

/** ts-micro with its telemetry where no SDK is registered: what being ready for one costs. */
export const contender: Contender = tsMicro({
  dialect: 'auto',
  broker: 'native',
  middleware: [openTelemetry().middleware],
});

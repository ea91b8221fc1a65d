import type { Contender } from './contender.ts';
import { tsMicro } from './ts-micro.ts';

/** ts-micro with a middleware that does nothing at both ends. */
export const contender: Contender = tsMicro({
  dialect: 'auto',
  broker: 'native',
  middleware: [(_call, next) => next()],
});

import type { Contender } from './contender.ts';
import { tsMicro } from './ts-micro.ts';

/** Handlers that wait for 20 ms, of which 16 may run at once. */
export const contender: Contender = tsMicro({ dialect: 'auto', broker: 'native', isSlow: true });

import type { Contender } from './contender.ts';
import { tsMicro } from './ts-micro.ts';

/** ts-micro held to what Go Micro understands. */
export const contender: Contender = tsMicro({ dialect: 'go', broker: 'go' });

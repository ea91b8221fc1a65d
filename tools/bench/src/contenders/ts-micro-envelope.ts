import type { Contender } from './contender.ts';
import { tsMicro } from './ts-micro.ts';

/** ts-micro held to Go Micro's envelope. There is no other dialect to switch off yet, so this is the same as `ts-micro` for now. */
export const contender: Contender = tsMicro({});

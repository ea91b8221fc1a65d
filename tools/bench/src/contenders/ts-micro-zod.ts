import { z } from 'zod';
import type { Contender } from './contender.ts';
import { tsMicroTyped } from './ts-micro-typed.ts';

export const contender: Contender = tsMicroTyped(z.object({ number: z.number(), text: z.string() }));

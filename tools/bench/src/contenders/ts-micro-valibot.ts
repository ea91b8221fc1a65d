import * as v from 'valibot';
import type { Contender } from './contender.ts';
import { tsMicroTyped } from './ts-micro-typed.ts';

export const contender: Contender = tsMicroTyped(v.object({ number: v.number(), text: v.string() }));

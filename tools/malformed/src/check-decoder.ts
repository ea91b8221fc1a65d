import { type ErrorCode, MicroError } from '@ts-micro/core';
import fc from 'fast-check';
import { marker, payloads } from './payloads.ts';

export interface PayloadCheck {
  /** Errors that it may throw. @default ['malformed'] */
  readonly codes?: readonly ErrorCode[] | undefined;
}

export interface DecoderCheck extends PayloadCheck {
  /** What it decodes in good days: the material to mutate. */
  readonly samples: readonly Uint8Array[];
  /** How many payloads. @default 3000 */
  readonly runs?: number | undefined;
  /**
   * With the same seed the payloads are always the same; a failure names it, and the smallest payload that fails.
   * @default 1
   */
  readonly seed?: number | undefined;
}

/**
 * Throws unless `decode`, whatever it is given, either returns something without foreign prototypes or throws an error
 * that repeats nothing of it.
 */
export function checkDecoder(decode: (payload: Uint8Array) => unknown, check: DecoderCheck): void {
  const { samples, runs = 3000, seed = 1 } = check;
  const property = fc.property(payloads(samples), (payload) => checkPayload(decode, payload, check));
  fc.assert(property, { numRuns: runs, seed });
}

/** As {@link checkDecoder}, for one payload. */
export function checkPayload(
  decode: (payload: Uint8Array) => unknown,
  payload: Uint8Array,
  { codes = ['malformed'] }: PayloadCheck = {},
): void {
  let decoded: unknown;
  try {
    decoded = decode(payload);
  } catch (error) {
    checkError(error, codes);
  }
  checkPrototypes(decoded);
}

function checkError(error: unknown, codes: readonly ErrorCode[]): void {
  if (!MicroError.is(error) || !codes.includes(error.code)) throw error;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause.message.includes(marker)) throw new Error(`an error repeats the payload: ${cause.message}`);
  }
}

function checkPrototypes(decoded: unknown): void {
  if (marker in {} || Object.keys(Object.prototype).length > 0) throw new Error('Object.prototype has grown');
  const found = inheritor(decoded);
  if (found !== undefined) throw new Error(`a prototype comes from the payload: ${JSON.stringify(found)}`);
}

/** An object that has by inheritance what was in the payload. */
function inheritor(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return undefined;
  if (marker in value && !Object.hasOwn(value, marker)) return value;
  for (const item of Object.values(value)) {
    const found = inheritor(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

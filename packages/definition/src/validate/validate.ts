import type { StandardSchemaV1 } from '@standard-schema/spec';
import { MicroError } from '@ts-micro/core';
import type { Schema } from '../define/schema.ts';
import { issueText } from './issue-text.ts';

/** Makes the error for a value that does not fit, of the words that say why. */
export type Refusal = (why: string) => MicroError;

/**
 * Returns what `schema` makes of `value`, at once, or as a promise where its validation is asynchronous. Throws, or
 * rejects with, the error that `refusal` makes of path and rule; `internal` where the validator itself fails.
 */
export function validate(schema: Schema, value: unknown, refusal: Refusal): unknown {
  const standard = schema['~standard'];
  let result: StandardSchemaV1.Result<unknown> | Promise<StandardSchemaV1.Result<unknown>>;
  let isAsync: boolean;
  try {
    result = standard.validate(value);
    isAsync = isPromise(result);
  } catch (error) {
    throw validatorFailed(standard.vendor, error);
  }
  if (!isAsync) return outputOf(standard.vendor, result as StandardSchemaV1.Result<unknown>, value, refusal);
  // A promise of any make.
  return Promise.resolve(result).then(
    (settled) => outputOf(standard.vendor, settled, value, refusal),
    (error) => {
      throw validatorFailed(standard.vendor, error);
    },
  );
}

/** True for what must be awaited. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

function outputOf(vendor: string, result: StandardSchemaV1.Result<unknown>, value: unknown, refusal: Refusal): unknown {
  let issues: readonly StandardSchemaV1.Issue[] | undefined;
  let why: string;
  try {
    if (typeof result !== 'object') throw new TypeError(`a result of type ${typeof result}`);
    issues = result.issues;
    if (!issues) return (result as StandardSchemaV1.SuccessResult<unknown>).value;
  } catch (error) {
    throw validatorFailed(vendor, error);
  }
  try {
    why = issueText(vendor, issues, value);
  } catch {
    // Of issues that are not as Standard Schema has them, or a value that cannot be looked at.
    why = 'it is not what the schema wants';
  }
  throw refusal(why);
}

// Without its words, which may quote the value.
function validatorFailed(vendor: string, error: unknown): MicroError {
  return new MicroError('internal', `definition: a ${vendor} validator failed`, { cause: error });
}

import type { MicroError } from '@ts-micro/core';
import { ignoreRejectionsIn } from '@ts-micro/kit';
import type { Endpoint } from '../define/endpoint.ts';
import type { Schema } from '../define/schema.ts';
import { type JsonRules, unfitForJson } from '../json/unfit-for-json.ts';
import { isPromise, type Refusal, validate } from './validate.ts';

/** Checks one value of one direction: returns what goes on from here, at once or as a promise, or throws. */
export type Check = (value: unknown) => unknown;

const jsonType = 'application/json';

/** Checks what comes in: what the schema makes of it goes on. `undefined` where nothing is to be checked. */
export function incomingCheck(schema: Schema, isOn: boolean, refusal: Refusal): Check | undefined {
  return isOn ? (value) => validate(schema, value, refusal) : undefined;
}

/**
 * Checks what goes out: it fits the schema, and JSON can carry it. It goes on as it was given, as the receiver runs the
 * schema again and a transformation must not happen twice.
 */
export function outgoingCheck(
  schema: Schema,
  isOn: boolean,
  endpoint: Pick<Endpoint, 'codecs' | 'contentType' | 'exactIntegers'>,
  allowsUndefined: boolean,
  refusal: Refusal,
): Check | undefined {
  if (!isOn) return undefined;
  const isJson = endpoint.codecs === undefined && endpoint.contentType === jsonType;
  const rules: JsonRules = { allowsBigInt: endpoint.exactIntegers, allowsUndefined };
  return (value) => {
    const why = isJson ? unfitForJson(value, rules) : undefined;
    if (why !== undefined) {
      // It may be a promise that nobody awaited.
      ignoreRejectionsIn(value);
      throw refusal(why);
    }
    const output = validate(schema, value, refusal);
    return isPromise(output) ? output.then(() => value) : value;
  };
}

/** Makes refusals with `code` that begin with `what`, by a maker of errors. */
export function refusalOf(make: (message: string) => MicroError, what: string): Refusal {
  return (why) => make(`${what}: ${why}`);
}

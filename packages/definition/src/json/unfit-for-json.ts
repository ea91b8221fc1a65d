import { types } from 'node:util';
import { pathText } from '../validate/issue-text.ts';

const deepest = 1000;
const usualDepth = 16;

export interface JsonRules {
  /** That the codec writes a `bigint` as an integer. */
  readonly allowsBigInt: boolean;
  /** That a property may be `undefined`, and is then left out. */
  readonly allowsUndefined: boolean;
}

/**
 * Why JSON cannot carry a value as it is, with the path, or `undefined` where it can: what `JSON.stringify` would
 * refuse, leave out or change in silence. An object of a class is carried by its fields, one with a `toJSON` as what
 * that gives. Never throws.
 */
export function unfitForJson(value: unknown, rules: JsonRules): string | undefined {
  if (isPlainlyFit(value, usualDepth)) return undefined;
  const path: PropertyKey[] = [];
  const holders = new Set<object>();
  try {
    const problem = problemOf(value, rules, path, holders);
    return problem === undefined ? undefined : `${pathText(path)}: ${problem}`;
  } catch {
    return `${pathText(path)}: cannot be read`;
  }
}

/**
 * True for what is sent most: texts, finite numbers, booleans, null, plain objects and arrays, not deep. Never throws.
 */
function isPlainlyFit(value: unknown, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth === 0) return false;
  try {
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) if (!isPlainlyFit(value[index], depth - 1)) return false;
      return !isJsonable(value);
    }
    if (Object.getPrototypeOf(value) !== Object.prototype || isJsonable(value)) return false;
    for (const key of Object.keys(value))
      if (!isPlainlyFit((value as Record<string, unknown>)[key], depth - 1)) return false;
    return true;
  } catch {
    // A getter that throws, of which the longer way tells the path.
    return false;
  }
}

/** Leaves `path` at the problem, where there is one. */
function problemOf(value: unknown, rules: JsonRules, path: PropertyKey[], holders: Set<object>): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : `${value} has no JSON form`;
    case 'bigint':
      return rules.allowsBigInt ? undefined : 'a bigint has no JSON form unless the endpoint has exactIntegers';
    case 'object':
      return value === null ? undefined : problemIn(value, rules, path, holders);
    default:
      return `${typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`} has no JSON form`;
  }
}

function problemIn(value: object, rules: JsonRules, path: PropertyKey[], holders: Set<object>): string | undefined {
  const known = lostAsJson(value);
  if (known !== undefined) return known;
  if (holders.has(value)) return 'is circular';
  if (holders.size >= deepest) return `is nested more than ${deepest} deep`;
  holders.add(value);
  const problem = problemBehind(value, rules, path, holders);
  holders.delete(value);
  return problem;
}

function problemBehind(value: object, rules: JsonRules, path: PropertyKey[], holders: Set<object>): string | undefined {
  if (isJsonable(value)) return problemOf(value.toJSON(), rules, path, holders);
  if (types.isBoxedPrimitive(value)) return problemOf(value.valueOf(), rules, path, holders);
  return problemAmong(value, rules, path, holders);
}

function problemAmong(value: object, rules: JsonRules, path: PropertyKey[], holders: Set<object>): string | undefined {
  const isArray = Array.isArray(value);
  const keys = isArray ? value.keys() : Object.keys(value);
  for (const key of keys) {
    path.push(key);
    const item = (value as Record<PropertyKey, unknown>)[key];
    const isLeftOut = item === undefined && !isArray && rules.allowsUndefined;
    const problem = isLeftOut ? undefined : problemOf(item, rules, path, holders);
    if (problem !== undefined) return problem;
    path.pop();
  }
  return undefined;
}

/** Returns what is wrong with an object that JSON changes into something else. */
function lostAsJson(value: object): string | undefined {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null || Array.isArray(value)) return undefined;
  if (types.isDate(value)) return 'a Date arrives as text: send toISOString()';
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return 'bytes have no JSON form: send base64 text';
  if (types.isNativeError(value) || value instanceof Error) return 'an Error has no JSON form';
  for (const [name, isOne] of Object.entries(formless)) if (isOne(value)) return `a ${name} has no JSON form`;
  const isLost = isIterable(value) && !isJsonable(value) && !types.isBoxedPrimitive(value);
  return isLost && Object.keys(value).length === 0 ? 'an iterable has no JSON form: send an array' : undefined;
}

// By these, as those of another realm are no instances of ours.
const formless: Readonly<Record<string, (value: unknown) => boolean>> = {
  Map: types.isMap,
  Set: types.isSet,
  WeakMap: types.isWeakMap,
  WeakSet: types.isWeakSet,
  RegExp: types.isRegExp,
  Promise: types.isPromise,
};

/** True for generators, `URLSearchParams`, `Headers` and their like, of which JSON leaves an empty object. */
function isIterable(value: object): boolean {
  return Symbol.iterator in value || Symbol.asyncIterator in value;
}

function isJsonable(value: object): value is { toJSON(): unknown } {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function';
}

import { MicroError } from '@ts-micro/core';

/** How one thing is read from Go Micro's JSON and written as such. */
export interface Field<T> {
  /** Throws `malformed`; `what` is the name of the field. */
  decode(value: unknown, what: string, depth: number): T;
  encode(value: T): unknown;
}

type Json = Record<string, unknown>;

// A record has five fields. Who sends thousands wants them to be searched.
const mostFields = 64;
// Go Micro describes values three levels deep. The bound is against stacks that are made to overflow.
const deepest = 32;

/** A string; empty where it is missing or null. */
export const text: Field<string> = {
  decode(value, what) {
    if (value === null || value === undefined) return '';
    if (typeof value !== 'string') throw malformed(what, 'is not a string');
    return value;
  },
  encode: (value) => value,
};

/** Like {@link text}, and refused where it is empty. */
export const name: Field<string> = {
  decode(value, what, depth) {
    const decoded = text.decode(value, what, depth);
    if (decoded === '') throw malformed(what, 'is empty');
    return decoded;
  },
  encode: (value) => value,
};

/** Strings by name; written in Go's order. */
export const textMap: Field<Readonly<Record<string, string>>> = {
  decode(value, what, depth) {
    if (value === null || value === undefined) return {};
    return Object.fromEntries(
      Object.entries(object(value, what)).map(([key, item]) => [key, text.decode(item, what, depth)]),
    );
  },
  encode: (map) => Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1))),
};

/** An array; null where it is empty, as Go writes a slice that was never made. */
export function list<T>(item: Field<T>): Field<readonly T[]> {
  return {
    decode(value, what, depth) {
      if (value === null || value === undefined) return [];
      if (!Array.isArray(value)) throw malformed(what, 'is not an array');
      return value.map((each) => item.decode(each, what, depth));
    },
    encode: (items) => (items.length > 0 ? items.map((each) => item.encode(each)) : null),
  };
}

/** An object with these fields, written in this order, every one of them. */
export function shape<T extends object>(fields: () => { readonly [K in keyof T]-?: Field<T[K]> }): Field<T> {
  const entries = () => Object.entries(fields()) as [string & keyof T, Field<T[keyof T]>][];
  return {
    decode(value, what, depth) {
      if (depth > deepest) throw malformed(what, `is nested more than ${deepest} deep`);
      const from = object(value, what);
      const keys = Object.keys(from);
      if (keys.length > mostFields) throw malformed(what, `has more than ${mostFields} fields`);
      const decoded = entries().map(([key, field]) => [key, field.decode(fieldOf(from, keys, key), key, depth + 1)]);
      return Object.fromEntries(decoded) as T;
    },
    encode: (value) => Object.fromEntries(entries().map(([key, field]) => [key, field.encode(value[key])])),
  };
}

/** A field by its name in any case, as Go finds it. */
export function fieldOf(from: Json, keys: readonly string[], key: string): unknown {
  if (Object.hasOwn(from, key)) return from[key];
  const lower = key.toLowerCase();
  const other = keys.find((each) => each.toLowerCase() === lower);
  return other === undefined ? undefined : from[other];
}

/** Throws `malformed` for what is no object. */
export function object(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(what, 'is not an object');
  return value as Json;
}

export function malformed(what: string, how: string): MicroError {
  return new MicroError('malformed', `nats registry: ${what} ${how}`);
}

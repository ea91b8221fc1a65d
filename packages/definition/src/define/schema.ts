import type { StandardSchemaV1 } from '@standard-schema/spec';

/** A validator of any library that implements Standard Schema v1: zod, valibot, arktype, effect. */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>;

/** The value on the wire: as a sender gives it, before the schema transforms it. */
export type InputOf<S extends Schema> = StandardSchemaV1.InferInput<S>;

/** The value for the receiver: as the schema transforms it. */
export type OutputOf<S extends Schema> = StandardSchemaV1.InferOutput<S>;

/** A schema that takes every value for a `T` and checks nothing: for peers whose types are known and trusted. */
export function unchecked<T>(): Schema<T> {
  return { '~standard': { version: 1, vendor: 'ts-micro', validate: (value) => ({ value: value as T }) } };
}

/** True for what implements Standard Schema v1; those of arktype are functions. */
export function isSchema(value: unknown): value is Schema {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  const standard = (value as Partial<Schema>)['~standard'];
  return standard?.version === 1 && typeof standard.validate === 'function';
}

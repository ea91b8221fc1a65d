import { type JsonSchema, resolved } from '../describe/json-schema.ts';
import { indented, propertyName } from './source-text.ts';
import { grouped } from './type-text.ts';

// A schema that goes on beyond it refers to itself, or was made to do harm.
const deepest = 24;

/** The TypeScript type of a JSON Schema; integers are also `bigint` where they are exact. */
export function schemaType(root: JsonSchema, hasBigIntegers: boolean): string {
  return typeOf(root, root, hasBigIntegers, 0);
}

function typeOf(given: unknown, root: JsonSchema, hasBigIntegers: boolean, depth: number): string {
  if (typeof given !== 'object' || given === null || depth > deepest) return 'unknown';
  const schema = resolved(given as JsonSchema, root);
  const of = (inner: unknown) => typeOf(inner, root, hasBigIntegers, depth + 1);
  const values = Array.isArray(schema.enum) ? schema.enum : 'const' in schema ? [schema.const] : undefined;
  if (values !== undefined) return union(values.map(literal));
  const choices = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choices)) return union(choices.map(of));
  if (Array.isArray(schema.allOf)) return schema.allOf.map((part) => grouped(of(part))).join(' & ') || 'unknown';
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  return union(types.map((type) => typeNamed(type, schema, hasBigIntegers, of)));
}

function typeNamed(type: unknown, schema: JsonSchema, hasBigIntegers: boolean, of: (inner: unknown) => string): string {
  switch (type) {
    case 'string':
    case 'boolean':
    case 'null':
    case 'number':
      return type;
    case 'integer':
      return hasBigIntegers ? 'bigint | number' : 'number';
    case 'array':
      if (Array.isArray(schema.prefixItems)) return `[${schema.prefixItems.map(of).join(', ')}]`;
      return `${grouped(of(schema.items))}[]`;
    case 'object':
      return objectType(schema, of);
    default:
      return 'unknown';
  }
}

function objectType(schema: JsonSchema, of: (inner: unknown) => string): string {
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const properties = Object.entries(schema.properties ?? {});
  if (properties.length === 0) {
    const isClosed = schema.additionalProperties === false || schema.properties !== undefined;
    return `{ [key: string]: ${isClosed ? 'never' : of(schema.additionalProperties)} }`;
  }
  const lines = properties.map(
    ([name, inner]) => `${propertyName(name)}${required.has(name) ? '' : '?'}: ${indented(of(inner))};`,
  );
  return `{\n  ${lines.join('\n  ')}\n}`;
}

function union(types: readonly string[]): string {
  const all = [...new Set(types)];
  return all.length === 0 || all.includes('unknown') ? 'unknown' : all.join(' | ');
}

function literal(value: unknown): string {
  if (typeof value === 'object' && value !== null) return 'unknown';
  return JSON.stringify(value) ?? 'unknown';
}

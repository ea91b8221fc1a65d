import type { ValueRecord } from '@ts-micro/core';
import { type JsonSchema, resolved } from './json-schema.ts';
import { pascalCase } from './pascal-case.ts';

// As Go Micro describes a value: the root, its fields, and theirs.
const deepest = 3;

/**
 * The shape of a value in the words of Go Micro's registry: Go type names, structs as nested values, and no type name
 * for what has none in Go; `undefined` where the schema breaks the rules of JSON Schema.
 */
export function valueRecord(schema: JsonSchema, name: string): ValueRecord | undefined {
  try {
    const type = typeNameOf(schema, schema, name);
    return { name: type === '' ? name : type, type, values: fieldsOf(schema, schema, 1) };
  } catch {
    return undefined;
  }
}

function fieldsOf(given: JsonSchema, root: JsonSchema, depth: number): readonly ValueRecord[] {
  if (depth >= deepest) return [];
  const { properties } = essence(given, root);
  return Object.entries(properties ?? {}).map(([name, schema]) => ({
    name,
    type: typeNameOf(schema, root, pascalCase(name)),
    values: fieldsOf(schema, root, depth + 1),
  }));
}

function typeNameOf(given: JsonSchema, root: JsonSchema, structName: string): string {
  const schema = essence(given, root);
  switch (typeOf(schema)) {
    case 'string':
      if (schema.format === 'date-time') return 'Time';
      return schema.contentEncoding === 'base64' || schema.format === 'byte' ? '[]uint8' : 'string';
    case 'integer':
      return 'int64';
    case 'number':
      return 'float64';
    case 'boolean':
      return 'bool';
    case 'array':
      return typeof schema.items === 'object' ? `[]${typeNameOf(schema.items, root, singular(structName))}` : '[]';
    case 'object':
      return schema.properties === undefined ? '' : (schema.title && pascalCase(schema.title)) || structName;
    default:
      return '';
  }
}

/** Without references and without `null`, which is a pointer in Go, and so no matter. */
function essence(given: JsonSchema, root: JsonSchema, depth = 0): JsonSchema {
  const schema = resolved(given, root);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices === undefined || depth > deepest) return schema;
  const [only, ...others] = choices.filter((choice) => choice.type !== 'null');
  return only !== undefined && others.length === 0 ? essence(only, root, depth + 1) : schema;
}

function typeOf(schema: JsonSchema): string | undefined {
  const { type, enum: values = 'const' in schema ? [schema.const] : undefined } = schema;
  if (typeof type === 'string') return type;
  const [only, ...others] = type?.filter((name) => name !== 'null') ?? [];
  if (only !== undefined) return others.length === 0 ? only : undefined;
  const kinds = new Set(values?.map((value) => typeof value));
  return kinds.size === 1 ? [...kinds][0] : undefined;
}

function singular(name: string): string {
  return name.length > 1 && name.endsWith('s') ? name.slice(0, -1) : name;
}

import type { StandardJSONSchemaV1 } from '@standard-schema/spec';
import { ignoreRejection } from '@ts-micro/kit';
import type { JsonSchemaConverter } from '../define/define-service.ts';
import type { Schema } from '../define/schema.ts';

/** A JSON Schema, of which only what is named here is read. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly contentEncoding?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: boolean | JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
}

// What zod has no JSON Schema for is told as anything, so that the rest is told at all.
const libraryOptions: Readonly<Record<string, Record<string, unknown>>> = { zod: { unrepresentable: 'any' } };

/**
 * The JSON Schema of what goes on the wire for `schema`; `undefined` where nobody gives one, or what is given is none.
 * Never throws.
 */
export function jsonSchemaOf(schema: Schema, converter: JsonSchemaConverter | undefined): JsonSchema | undefined {
  try {
    const given = givenFor(schema, converter);
    if (typeof given !== 'object' || given === null || ignoreRejection(given)) return undefined;
    // Throws for what is no JSON.
    return JSON.parse(JSON.stringify(given));
  } catch {
    return undefined;
  }
}

function givenFor(schema: Schema, converter: JsonSchemaConverter | undefined): unknown {
  const { jsonSchema, vendor } = schema['~standard'] as Partial<StandardJSONSchemaV1.Props> & { vendor: string };
  const options = libraryOptions[vendor];
  if (converter !== undefined) return converter(schema as never);
  if (jsonSchema !== undefined)
    return jsonSchema.input({ target: 'draft-2020-12', ...(options && { libraryOptions: options }) });
  const { toJSONSchema } = schema as { toJSONSchema?: (options: object) => object };
  return toJSONSchema?.call(schema, { io: 'input', ...options });
}

/** Returns the schema that a `$ref` into the schema's own `$defs` stands for. */
export function resolved(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const name = /^#\/(?:\$defs|definitions)\/(.+)$/.exec(schema.$ref ?? '')?.[1];
  if (schema.$ref === '#') return root;
  return name === undefined ? schema : (root.$defs?.[decodeURIComponent(name)] ?? {});
}

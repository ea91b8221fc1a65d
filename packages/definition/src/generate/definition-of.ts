import type { EndpointRecord, ServiceRecord, ValueRecord } from '@ts-micro/core';
import { advertised } from '../describe/describe.ts';
import type { JsonSchema } from '../describe/json-schema.ts';
import { GoStructs } from './go-structs.ts';
import { GoTypes } from './go-types.ts';
import { schemaType } from './schema-types.ts';
import { commentText, constantName, indented, propertyName, quoted, TypeNames } from './source-text.ts';

const streamKinds = ['bidiStream', 'clientStream', 'serverStream'];

/**
 * The TypeScript source of a definition of a running service, Go or TypeScript, by its record in the registry.
 *
 * It is the same text for the same record whatever order its endpoints come in. Go's structs become interfaces; of what
 * the registry does not tell, the type is `unknown`: the messages of Go's streams, the elements of maps. Its schemas
 * check nothing.
 */
export function definitionOf(record: ServiceRecord): string {
  return new DefinitionSource(record).text();
}

class DefinitionSource {
  readonly #record: ServiceRecord;
  readonly #endpoints: readonly EndpointRecord[];
  readonly #subscribers: readonly EndpointRecord[];
  readonly #names = new TypeNames();
  readonly #structs = new GoStructs(this.#names);
  readonly #types = new GoTypes(this.#structs);
  /** The declarations of what has a JSON Schema. */
  readonly #aliases: string[] = [];
  readonly #makers = new Set<string>();
  /** That integers are exact in all of it, as there are events with large ones. */
  readonly #isExact: boolean;

  constructor(record: ServiceRecord) {
    this.#record = record;
    const sorted = [...record.endpoints].sort((a, b) => (textOfRecord(a) < textOfRecord(b) ? -1 : 1));
    this.#endpoints = sorted.filter(({ name, metadata }) => metadata.subscriber !== 'true' && isCallable(name));
    this.#subscribers = sorted.filter(({ metadata }) => metadata.subscriber === 'true' && isTopic(metadata.topic));
    for (const { request, response, metadata } of [...this.#endpoints, ...this.#subscribers]) {
      if (metadata.stream === 'true') continue;
      const schemas = [
        metadata[advertised.requestSchema] ?? metadata[advertised.eventSchema],
        metadata[advertised.responseSchema],
      ];
      for (const [index, value] of [request, response].entries())
        if (value !== undefined && parsed(schemas[index]) === undefined) this.#structs.collect(value);
    }
    this.#isExact = this.#subscribers.some(
      ({ request, metadata }) =>
        metadata[advertised.exactIntegers] === 'true' || (request !== undefined && this.#types.hasBigIntegers(request)),
    );
  }

  text(): string {
    const { name, version } = this.#record;
    const endpoints = uniqueLines(this.#endpoints.map((each) => [each.name, this.#endpoint(each)]));
    const events = uniqueLines(this.#subscribers.map((each) => [each.metadata.topic as string, this.#event(each)]));
    const schemas = endpoints + events === '' ? [] : ['unchecked'];
    const imports = [...this.#makers, 'defineService', ...schemas].sort();
    return [
      `// ${commentText(`${name} ${version}`)}, as the registry describes it: written by definitionOf of @ts-micro/definition.`,
      '// Go does not tell which fields may be left out, nor what is a pointer, in a map or in a stream. `int` is a number.',
      `import { ${imports.join(', ')} } from '@ts-micro/definition';`,
      '',
      ...[...this.#structs.all.map((struct) => this.#types.declaration(struct)), ...this.#aliases].flatMap((each) => [
        each,
        '',
      ]),
      `export const ${constantName(name)} = defineService({`,
      `  name: ${quoted(name)},`,
      `  endpoints: {${endpoints}},`,
      ...(events === '' ? [] : [`  events: {${events}},`]),
      ...(this.#isExact ? ['  exactIntegers: true,'] : []),
      '});',
      '',
    ].join('\n');
  }

  #endpoint({ name, request, response, metadata }: EndpointRecord): string {
    const isStream = metadata.stream === 'true';
    const kind = isStream
      ? (streamKinds.find((each) => each === metadata[advertised.streamKind]) ?? 'bidiStream')
      : 'unary';
    this.#makers.add(kind);
    const values = isStream ? [] : [request, response].filter((value) => value !== undefined);
    const isExact =
      !this.#isExact &&
      (metadata[advertised.exactIntegers] === 'true' || values.some((value) => this.#types.hasBigIntegers(value)));
    const method = name.slice(name.indexOf('.') + 1);
    const type = (schema: string, value: ValueRecord | undefined, part: string) =>
      this.#type(metadata[schema], isExact || this.#isExact, isStream ? undefined : value, `${method}${part}`);
    const { description } = metadata;
    return [
      `${kind}({`,
      `  request: unchecked<${type(advertised.requestSchema, request, 'Request')}>(),`,
      `  response: unchecked<${type(advertised.responseSchema, response, 'Response')}>(),`,
      ...(description ? [`  description: ${quoted(description)},`] : []),
      ...(metadata[advertised.idempotent] === 'true' ? ['  idempotent: true,'] : []),
      ...(isExact ? ['  exactIntegers: true,'] : []),
      '})',
    ].join('\n');
  }

  #event({ request, metadata }: EndpointRecord): string {
    const type = this.#type(metadata[advertised.eventSchema], this.#isExact, request, metadata.topic as string);
    return `unchecked<${type}>()`;
  }

  /** The type of a value, by its JSON Schema where it has one. */
  #type(schemaText: string | undefined, isExact: boolean, value: ValueRecord | undefined, name: string): string {
    const schema = parsed(schemaText);
    if (schema === undefined) return value === undefined ? 'unknown' : this.#types.root(value).text;
    const alias = this.#names.give(schema.title || name);
    this.#aliases.push(`export type ${alias} = ${schemaType(schema, isExact)};`);
    return alias;
  }
}

function uniqueLines(entries: readonly (readonly [string, string])[]): string {
  const lines = [...new Map(entries)].map(([name, text]) => `\n    ${propertyName(name)}: ${indented(text, '    ')},`);
  return lines.length === 0 ? '' : `${lines.join('')}\n  `;
}

function parsed(text: string | undefined): JsonSchema | undefined {
  if (!text) return undefined;
  try {
    const schema: unknown = JSON.parse(text);
    return typeof schema === 'object' && schema !== null ? (schema as JsonSchema) : undefined;
  } catch {
    return undefined;
  }
}

/** Tells whether a definition may have it as an endpoint. */
function isCallable(name: string): boolean {
  return /^[^.\s]+\.[^.\s]+$/.test(name) && !/^(events|__proto__)\.|\.__proto__$/.test(name);
}

/** Tells whether a definition may have it as an event: no wildcards. */
function isTopic(topic: string | undefined): boolean {
  return topic !== undefined && /^[^.\s*>\p{C}]+(\.[^.\s*>\p{C}]+)*$/u.test(topic);
}

/** Puts endpoints into one order, those of one name too. */
function textOfRecord({ name, request, response, metadata }: EndpointRecord): string {
  return JSON.stringify([name, metadata.topic ?? '', request, response, Object.entries(metadata).sort()]);
}

import type { ValueRecord } from '@ts-micro/core';
import { type GoStruct, type GoStructs, structName } from './go-structs.ts';
import { commentText, indented, propertyName } from './source-text.ts';
import { grouped, notesOf, type TypeText, unknownType } from './type-text.ts';

const bigInteger: TypeText = {
  text: 'bigint | number',
  note: 'A 64-bit integer: bigint where a number cannot hold it.',
  hasBigIntegers: true,
};
const bytes: TypeText = { text: 'string', note: 'Bytes, as base64.' };

const basic: Readonly<Record<string, TypeText>> = {
  string: { text: 'string' },
  bool: { text: 'boolean' },
  ...Object.fromEntries(
    ['int', 'int8', 'int16', 'int32', 'uint', 'uint8', 'uint16', 'uint32', 'byte', 'rune', 'float32', 'float64'].map(
      (name) => [name, { text: 'number' }],
    ),
  ),
  int64: bigInteger,
  uint64: bigInteger,
  '[]uint8': bytes,
  '[]byte': bytes,
};

/**
 * Types of Go's libraries that JSON has a form of its own for, unless the record says that they are structs of the
 * service.
 */
const wellKnown: Readonly<Record<string, TypeText>> = {
  Time: { text: 'string', note: 'A time, as ISO 8601 text.' },
  Duration: { ...bigInteger, note: 'Nanoseconds: bigint where a number cannot hold them.' },
  Number: { text: 'number' },
  RawMessage: { text: 'unknown', note: 'Any JSON.' },
};

/** The TypeScript types of Go values. */
export class GoTypes {
  readonly #structs: GoStructs;

  constructor(structs: GoStructs) {
    this.#structs = structs;
  }

  /** The type of a whole request, response or event. */
  root(value: ValueRecord): TypeText {
    // Its own type is lost where it is one of bytes, but a root has its name as well.
    if (value.name === 'RawMessage') return wellKnown.RawMessage as TypeText;
    const type = this.#type(value.type, value.values);
    return type.text === 'unknown' && value.type !== '' ? { ...type, text: '{ [key: string]: unknown }' } : type;
  }

  /** Returns the declaration of a struct. */
  declaration({ name, fields }: GoStruct): string {
    return `export interface ${name} ${this.#body(fields)}`;
  }

  /** True where a value has 64-bit integers somewhere. */
  hasBigIntegers(value: ValueRecord, seen: Set<GoStruct> = new Set()): boolean {
    const type = this.#type(value.type, []);
    if (type.hasBigIntegers) return true;
    const struct = this.#structs.find(structName(value.type), value.values);
    if (struct === undefined) return value.values.some((field) => this.hasBigIntegers(field, seen));
    if (seen.has(struct)) return false;
    seen.add(struct);
    return struct.fields.some((field) => this.hasBigIntegers(field, seen));
  }

  #body(fields: readonly ValueRecord[]): string {
    const lines = new Map<string, string>();
    const named = new Set(fields.map(({ name }) => name));
    for (const field of fields) {
      if (!isEmbedded(field)) {
        lines.set(field.name, this.#field(field, false));
        continue;
      }
      lines.set(
        field.name,
        this.#field(field, true, `Where Go embeds it, its fields stand beside the others instead.`),
      );
      for (const inner of field.values) if (!named.has(inner.name)) lines.set(inner.name, this.#field(inner, true));
    }
    return lines.size === 0 ? '{ [key: string]: unknown }' : `{\n  ${[...lines.values()].join('\n  ')}\n}`;
  }

  #field(field: ValueRecord, isOptional: boolean, more?: string): string {
    const type = this.#fieldType(field);
    const note = notesOf(type, { text: '', note: more });
    const comment = note === undefined ? '' : `/** ${commentText(note)} */\n  `;
    return `${comment}${propertyName(field.name)}${isOptional ? '?' : ''}: ${indented(type.text)};`;
  }

  /** A field that is a struct may be a pointer to one, which the record does not tell, and nil. */
  #fieldType({ type, values }: ValueRecord): TypeText {
    const given = this.#type(type, values);
    const isStruct = given.text.startsWith('{\n') || this.#structs.find(structName(type), values)?.name === given.text;
    return isStruct ? orNull(given, (text) => text) : given;
  }

  /** The type of what Go calls `type`; of a struct, `fields` are its own. */
  #type(type: string, fields: readonly ValueRecord[]): TypeText {
    const known = Object.hasOwn(basic, type) ? basic[type] : undefined;
    if (known !== undefined) return known;
    const [, list, inner = ''] = /^(\[\d*\])(.*)$/s.exec(type) ?? [];
    if (list !== undefined) return orNull(this.#type(inner, fields), (text) => `${grouped(text)}[]`);
    if (type.startsWith('*')) return orNull(this.#type(type.slice(1), fields), (text) => text);
    const value = mapValue(type);
    if (value !== undefined) return orNull(this.#type(value, fields), (text) => `{ [key: string]: ${text} }`);
    return this.#named(type, fields);
  }

  #named(type: string, fields: readonly ValueRecord[]): TypeText {
    const name = structName(type);
    if (isOldTime(name, fields)) return wellKnown.Time as TypeText;
    const struct = name === '' ? undefined : this.#structs.find(name, fields);
    if (struct !== undefined) return { text: struct.name };
    if (fields.length > 0) return { text: this.#body(fields) };
    if (Object.hasOwn(wellKnown, name)) return wellKnown[name] as TypeText;
    if (name === '') return unknownType;
    return { text: 'unknown', note: `Go's ${name}, of which the registry says no more.` };
  }
}

/** Go Micro before v4.7 tells the insides of `time.Time` as well, under the names of their types. */
function isOldTime(name: string, fields: readonly ValueRecord[]): boolean {
  return name === 'Time' && fields.map(({ type }) => type).join() === 'uint64,int64,Location';
}

/** A slice, map or pointer of Go may be nil. */
function orNull(type: TypeText, wrap: (text: string) => string): TypeText {
  const text = wrap(type.text);
  return { ...type, text: text === 'unknown' || text.endsWith('| null') ? text : `${text} | null` };
}

/** The type of a map's values. JSON has texts for keys of every type. */
function mapValue(type: string): string | undefined {
  if (!type.startsWith('map[')) return undefined;
  let open = 0;
  for (let at = 3; at < type.length; at++) {
    if (type[at] === '[') open++;
    else if (type[at] === ']' && --open === 0) return type.slice(at + 1);
  }
  return undefined;
}

/** An embedded struct looks in the record like an untagged field that is called as its type. */
function isEmbedded({ name, type, values }: ValueRecord): boolean {
  return name === type && values.length > 0 && /^\p{Lu}/u.test(name);
}

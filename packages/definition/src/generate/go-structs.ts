import type { ValueRecord } from '@ts-micro/core';
import type { TypeNames } from './source-text.ts';

/** One struct of a Go service, as far as its record tells. */
export interface GoStruct {
  /** The name in TypeScript. */
  readonly name: string;
  readonly fields: readonly ValueRecord[];
}

interface Variant {
  readonly signature: string;
  struct: GoStruct;
}

/**
 * The structs that the values of a record name, wherever in them.
 *
 * Go Micro describes three levels and no elements of slices, so that what one value leaves out another may tell. Types
 * of one name and different fields are of different Go packages.
 */
export class GoStructs {
  readonly #names: TypeNames;
  readonly #byType = new Map<string, Variant[]>();

  constructor(names: TypeNames) {
    this.#names = names;
  }

  get all(): readonly GoStruct[] {
    return [...this.#byType.values()].flat().map(({ struct }) => struct);
  }

  /** Notes the structs of a value. */
  collect(value: ValueRecord): void {
    const type = structName(value.type);
    if (type !== '' && value.values.length > 0) this.#note(type, value.values);
    for (const field of value.values) this.collect(field);
  }

  /** The struct of that type with those fields; without fields the only one of its name. */
  find(type: string, fields: readonly ValueRecord[]): GoStruct | undefined {
    const variants = this.#byType.get(type) ?? [];
    if (fields.length > 0) return variants.find(({ signature }) => signature === signatureOf(fields))?.struct;
    return variants.length === 1 ? variants[0]?.struct : undefined;
  }

  #note(type: string, fields: readonly ValueRecord[]): void {
    const variants = this.#byType.get(type) ?? [];
    this.#byType.set(type, variants);
    const signature = signatureOf(fields);
    const known = variants.find((variant) => variant.signature === signature);
    if (known === undefined) {
      variants.push({ signature, struct: { name: this.#names.give(type), fields } });
    } else {
      const richest = known.struct.fields.map((field, index) => richer(field, fields[index] ?? field));
      known.struct = { ...known.struct, fields: richest };
    }
  }
}

/** The bare name of a type: `Item` of `[]*shop.Item`; empty where it has none. */
export function structName(type: string): string {
  return /^(?:\[\d*\]|\*)*(?:[\w/.-]+\.)?([\p{L}_][\p{L}\p{Nd}_]*)(?:\[.*\])?$/u.exec(type)?.[1] ?? '';
}

function signatureOf(fields: readonly ValueRecord[]): string {
  return JSON.stringify(fields.map(({ name, type }) => [name, type]));
}

function richer(a: ValueRecord, b: ValueRecord): ValueRecord {
  return sizeOf(b) > sizeOf(a) ? b : a;
}

function sizeOf({ values }: ValueRecord): number {
  return values.reduce((sum, value) => sum + 1 + sizeOf(value), 0);
}

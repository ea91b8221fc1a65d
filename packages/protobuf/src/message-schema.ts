import { create, type DescField, type DescMessage, isMessage, ScalarType } from '@bufbuild/protobuf';
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';
import type { Schema } from '@ts-micro/definition';

interface Issue {
  readonly message: string;
  readonly path?: readonly PropertyKey[];
}

/** Takes messages as they are, and initial values whose fields are of the types that the `.proto` file gives them. */
export function messageSchema(schema: DescMessage): Schema {
  return {
    '~standard': {
      version: 1,
      vendor: 'protobuf',
      validate: (value) => {
        if (isMessage(value, schema)) return { value };
        const issues = issuesOf(schema, value);
        return issues.length > 0 ? { issues } : { value };
      },
    },
  };
}

function issuesOf(schema: DescMessage, value: unknown): Issue[] {
  const wanted = `Invalid input: expected a ${schema.typeName}, or its initial values`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ message: wanted }];
  const known = new Set(schema.members.map(({ localName }) => localName));
  const unknown = Object.keys(value).filter((name) => !name.startsWith('$') && !known.has(name));
  if (unknown.length > 0) return unknown.map((name) => ({ message: 'Invalid input: no such field', path: [name] }));
  try {
    return fieldIssues(reflect(schema, create(schema, value as Record<string, unknown>)), []);
  } catch {
    return [{ message: wanted }];
  }
}

function fieldIssues(message: ReflectMessage, path: readonly PropertyKey[]): Issue[] {
  return message.fields.flatMap((field) => {
    if (!message.isSet(field)) return [];
    const at = [...path, field.localName];
    if (field.fieldKind === 'message') return fieldIssues(message.get(field), at);
    if (field.fieldKind === 'map') return [];
    if (field.fieldKind !== 'list')
      return isRefused(() => message.set(field, message.get(field))) ? [unfit(field, at)] : [];
    const list = message.get(field);
    return Array.from(list, (item, index) => {
      if (field.listKind === 'message') return fieldIssues(item as ReflectMessage, [...at, index]);
      return isRefused(() => list.set(index, item)) ? [unfit(field, [...at, index])] : [];
    }).flat();
  });
}

/** Setting checks what getting does not. */
function isRefused(set: () => unknown): boolean {
  try {
    set();
    return false;
  } catch {
    return true;
  }
}

function unfit(field: DescField, path: readonly PropertyKey[]): Issue {
  const name = field.scalar === undefined ? (field.enum?.typeName ?? 'value') : ScalarType[field.scalar].toLowerCase();
  return { message: `Invalid input: expected ${name}`, path };
}

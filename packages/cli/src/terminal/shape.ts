import type { ValueRecord } from '@ts-micro/core';

const deepest = 8;

/**
 * Returns a shape on one line: `{ name: string, tags: []string }`; empty where nothing is told. What has no
 * type, as Go's maps, is `?`.
 */
export function shapeText(value: ValueRecord | undefined, depth = 0): string {
  if (value === undefined) return '';
  if (value.values.length === 0) return value.type || '?';
  if (depth >= deepest) return `${value.type} {…}`;
  const fields = value.values.map((field) => `${field.name}: ${shapeText(field, depth + 1)}`);
  const list = /^(\[\d*\]|map\[[^\]]*\])/.exec(value.type)?.[1] ?? '';
  return `${list}{ ${fields.join(', ')} }`;
}

import { createHash } from 'node:crypto';
import type { ServiceRecord } from '@ts-micro/core';

// Three of them, a bucket and the server's own words stay far below the longest line that a server takes.
const longestToken = 200;

/**
 * Returns the key of a record with one node or none: `<name>.<version>.<id>`, each as {@link tokenOf} writes it. Two
 * nodes never share a key.
 */
export function keyOf({ name, version, nodes }: ServiceRecord): string {
  return [name, version, nodes[0]?.id ?? ''].map(tokenOf).join('.');
}

/**
 * Returns a text as one token of a key, which may have letters, digits, `-`, `_` and `=`: any other is `=2E` or
 * `=u20AC`, by its UTF-16 unit, and the empty text is `=`. A token of more than 200 characters is `=h` and its SHA-256.
 */
export function tokenOf(text: string): string {
  if (text === '') return '=';
  const token = text.replaceAll(/[^A-Za-z0-9_-]/g, escaped);
  return token.length <= longestToken ? token : `=h${createHash('sha256').update(token).digest('hex')}`;
}

function escaped(unit: string): string {
  const hex = unit.charCodeAt(0).toString(16).toUpperCase();
  return hex.length <= 2 ? `=${hex.padStart(2, '0')}` : `=u${hex.padStart(4, '0')}`;
}

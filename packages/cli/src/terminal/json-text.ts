import type { Paint } from './paint.ts';
import { printable } from './printable.ts';

// Of a valid text, so that what is between the tokens is white space.
const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** Returns a valid JSON text on one line. Numbers stay as they are written, beyond 2^53 too. */
export function compactJson(text: string): string {
  return (text.match(token) ?? []).join('');
}

/** Returns a valid JSON text indented and coloured, its numbers as they are written. */
export function prettyJson(text: string, paint: Paint): string {
  const tokens = text.match(token) ?? [];
  let depth = 0;
  let result = '';
  for (let at = 0; at < tokens.length; at++) {
    const each = tokens[at] as string;
    const next = tokens[at + 1];
    switch (each) {
      case '{':
      case '[':
        if (next === '}' || next === ']') {
          result += each + next;
          at++;
        } else result += `${each}\n${'  '.repeat(++depth)}`;
        break;
      case '}':
      case ']':
        result += `\n${'  '.repeat(--depth)}${each}`;
        break;
      case ',':
        result += `,\n${'  '.repeat(depth)}`;
        break;
      case ':':
        result += ': ';
        break;
      default:
        result += coloured(printable(each), next === ':', paint);
    }
  }
  return result;
}

function coloured(text: string, isName: boolean, paint: Paint): string {
  if (isName) return paint.cyan(text);
  return text.startsWith('"') ? paint.green(text) : paint.yellow(text);
}

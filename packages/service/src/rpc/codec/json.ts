import { MicroError } from '@ts-micro/core';
import { hasMoreParts, mostJsonParts, utf8Of } from '@ts-micro/kit';
import type { Codec, CodecUse } from './codec.ts';
import { contentType } from './content-type.ts';
import { lineBytes } from './line-bytes.ts';
import { lostInJson } from './lost-in-json.ts';

const everyHtmlCharacter = /[<>&\u2028\u2029]/g;

/**
 * The JSON text of a value as Go's `encoding/json` writes it, with `<`, `>`, `&`, U+2028 and U+2029 escaped. Throws
 * `invalid` for what has no JSON form, such as a `bigint`, a circle, a `Map` or bytes.
 */
export function goJson(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw MicroError.from(error, 'invalid', 'json codec: the value has no JSON form');
  }
  if (text === undefined) throw new MicroError('invalid', `json codec: a ${typeof value} has no JSON form`);
  const loss = lostInJson(value, text);
  if (loss !== undefined) throw new MicroError('invalid', `json codec: ${loss}`);
  return hasHtmlCharacter(text) ? text.replace(everyHtmlCharacter, escapeCharacter) : text;
}

/** The value of a JSON text. Throws `malformed`. */
export function parseJson(body: Uint8Array): unknown {
  if (hasMoreParts(body, mostJsonParts))
    throw new MicroError('malformed', `json codec: more than ${mostJsonParts} objects and lists`);
  try {
    return JSON.parse(utf8Of(body));
  } catch {
    // Without the parser's error, which quotes the bytes: this one gets logged.
    throw new MicroError('malformed', `json codec: ${body.length} bytes that are not JSON`);
  }
}

/**
 * `application/json`: one document and a newline, the bytes of Go's `json.Encoder`.
 *
 * `undefined` is sent as `{}`. An empty body is `{}` to the service, as a Go handler gets the zero value of its
 * request, and `malformed` to the caller, as a Go server never sends one.
 */
export const jsonCodec: Codec = {
  contentType: contentType.json,
  encode(value: unknown): Uint8Array {
    return lineBytes(value === undefined ? '{}' : goJson(value));
  },
  decode(body: Uint8Array, use: CodecUse): unknown {
    if (body.length > 0) return parseJson(body);
    if (use.kind === 'response') throw new MicroError('malformed', 'json codec: the body is empty');
    return {};
  },
};

// Five searches cost less than one regular expression.
function hasHtmlCharacter(text: string): boolean {
  return (
    text.includes('<') || text.includes('>') || text.includes('&') || text.includes('\u2028') || text.includes('\u2029')
  );
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

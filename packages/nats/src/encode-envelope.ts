import type { Headers, Message } from '@ts-micro/core';

const prefix = '{"Header":{';
const bodyField = ',"Body":"';
const middle = `}${bodyField}`;

/** From here on it pays to handle the body apart from the rest. */
const largeBytes = 4096;

// What begins a header in JSON, `"Content-Type":"`; bounded, so that made-up names cannot grow it.
const plainNames = new Map<string, string>();

/** Matches unless JSON with Go's HTML escapes writes the text as it is, in ASCII. */
const needsCare = /[^ !#-%'-;=?-[\]-~]/;
const htmlEscapes = /[<>&\u2028\u2029]/g;

/**
 * A message as Go Micro's envelope, byte for byte as Go writes it: `{"Header":{...},"Body":"<base64>"}`.
 *
 * Header names are sorted; `Header` is an object also when there is none, and an empty body is `""`, never `null`: Go takes either for
 * an empty body, and unmodified Go servers die of a `null` header. The bytes are fresh and share nothing with the message.
 */
export function encodeEnvelope(message: Message): Uint8Array {
  const { headers, body } = message;
  const names = sortedNames(headers);
  let text = prefix;
  let isAscii = true;
  for (let index = 0; index < names.length; index++) {
    const name = names[index] as string;
    const value = headers[name] as string;
    if (index > 0) text += ',';
    const start = plainNames.get(name) ?? writeName(name);
    if (start === undefined || needsCare.test(value)) {
      isAscii = false;
      text += `"${escaped(name)}":"${escaped(value)}"`;
    } else {
      text += `${start}${value}"`;
    }
  }
  text += middle;
  if (body.length < largeBytes) return Buffer.from(`${text}${base64(body)}"}`, isAscii ? 'latin1' : 'utf8');
  // Written in two pieces, which spares a large body the copy into one text.
  const bodyText = base64(body);
  const textLength = isAscii ? text.length : Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(textLength + bodyText.length + 2);
  bytes.write(text, 0, isAscii ? 'latin1' : 'utf8');
  bytes.write(bodyText, textLength, 'latin1');
  bytes.write('"}', bytes.length - 2, 'latin1');
  return bytes;
}

/** Header names are ASCII, for which JavaScript's order is the order of the bytes. */
function sortedNames(headers: Headers): string[] {
  const names = Object.keys(headers);
  // Insertion: names are few, and mostly in order already.
  for (let index = 1; index < names.length; index++) {
    const name = names[index] as string;
    let place = index;
    for (; place > 0 && (names[place - 1] as string) > name; place--) names[place] = names[place - 1] as string;
    names[place] = name;
  }
  return names;
}

function writeName(name: string): string | undefined {
  if (needsCare.test(name)) return undefined;
  const written = `"${name}":"`;
  if (plainNames.size < 1000) plainNames.set(name, written);
  return written;
}

function escaped(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(htmlEscapes, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function base64(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.length).toString('base64');
}

import { randomUUID } from 'node:crypto';
import { MicroError } from '@ts-micro/core';
import { hasMoreParts, mostJsonParts } from '@ts-micro/kit';
import { type Codec, type Codecs, type CodecUse, createCodecs, jsonCodec } from '@ts-micro/service';

// Node 20 neither shows the source of a number to a reviver nor writes raw JSON, so integers pass `JSON` as marked
// texts.

const decoder = new TextDecoder();
const encoder = new TextEncoder();
const number = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** JSON whose integers are exact: those beyond ±(2^53 - 1) are `bigint`, and a `bigint` is written as an integer. */
const exactJsonCodec: Codec = {
  contentType: jsonCodec.contentType,
  encode(value: unknown, use: CodecUse): Uint8Array {
    const mark = randomUUID();
    let isMarked = false;
    const marked = JSON.stringify(value, (_key, item: unknown) => {
      if (typeof item !== 'bigint') return item;
      isMarked = true;
      return `${mark}${item}`;
    });
    if (!isMarked) return jsonCodec.encode(value, use);
    const text = decoder.decode(jsonCodec.encode(JSON.parse(marked), use));
    return encoder.encode(text.replace(new RegExp(`"${mark}(-?\\d+)"`, 'g'), '$1'));
  },
  decode(body: Uint8Array, use: CodecUse): unknown {
    // Which says what is the matter with it.
    if (hasMoreParts(body, mostJsonParts)) return jsonCodec.decode(body, use);
    const text = decoder.decode(body);
    if (!/\d{16}/.test(text)) return jsonCodec.decode(body, use);
    const mark = randomUUID();
    const marked = markBigIntegers(text, mark);
    if (marked === text) return jsonCodec.decode(body, use);
    try {
      return JSON.parse(marked, (_key, item: unknown) =>
        typeof item === 'string' && item.startsWith(mark) ? BigInt(item.slice(mark.length)) : item,
      );
    } catch {
      // Without the parser's error, which quotes the bytes.
      throw new MicroError('malformed', `json codec: ${body.length} bytes that are not JSON`);
    }
  },
};

/** The built-in codecs with that one for JSON. */
export const exactCodecs: Codecs = createCodecs([exactJsonCodec]);

/** The text with every integer that a `number` cannot hold as a marked string. What is no JSON stays none. */
function markBigIntegers(text: string, mark: string): string {
  let marked = '';
  let taken = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = endOfString(text, at);
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      number.lastIndex = at;
      const [source = text[at] as string] = number.exec(text) ?? [];
      if (source.length >= 16 && isBigInteger(source)) {
        marked += `${text.slice(taken, at)}"${mark}${source}"`;
        taken = at + source.length;
      }
      at += source.length;
    } else {
      at++;
    }
  }
  return marked + text.slice(taken);
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === 0x22) return at + 1;
  }
  return text.length;
}

// No leading zero, as JSON has none: what follows from it is for the parser to refuse.
function isBigInteger(source: string): boolean {
  return /^-?[1-9]\d*$/.test(source) && !Number.isSafeInteger(Number(source));
}

import { MicroError } from '@ts-micro/core';
import { type Codec, type Codecs, createCodecs } from '@ts-micro/service';

const decoder = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

/** JSON as the text that it is, so that what goes through keeps numbers beyond 2^53 and the order of names. */
const rawJson: Codec = {
  contentType: 'application/json',
  encode: (value) => encoder.encode(`${value === undefined ? '{}' : String(value)}\n`),
  decode: (body) => {
    const text = decoder.decode(body).trim();
    if (text === '') return '{}';
    try {
      JSON.parse(text);
    } catch {
      throw new MicroError('malformed', `the answer is no JSON: ${body.length} bytes`);
    }
    return text;
  },
};

/** Requests and responses as JSON texts. */
export const rawJsonCodecs: Codecs = createCodecs([rawJson]);

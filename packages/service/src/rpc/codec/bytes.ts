import { MicroError } from '@ts-micro/core';
import type { Codec } from './codec.ts';
import { ownBytes } from './own-bytes.ts';

/**
 * A codec that passes bytes through: values are `Uint8Array`, those of another realm (Jest, `vm`) included, which are
 * handed on as this realm's without a copy. Encodes `undefined` as no bytes, and throws `invalid` for anything else.
 */
export function bytesCodec(contentType: string): Codec {
  return {
    contentType,
    encode(value: unknown): Uint8Array {
      const bytes = ownBytes(value);
      if (bytes !== undefined) return bytes;
      if (value === undefined) return new Uint8Array(0);
      const given = value === null ? 'null' : typeof value;
      throw new MicroError('invalid', `${contentType} codec: the value is a Uint8Array, not ${given}`);
    },
    decode: (body) => body,
  };
}

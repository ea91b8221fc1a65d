import { MicroError } from '@ts-micro/core';
import type { Codec } from './codec.ts';

/** A codec that passes bytes through: values are `Uint8Array`. Encodes `undefined` as no bytes, and throws `invalid` for anything else. */
export function bytesCodec(contentType: string): Codec {
  return {
    contentType,
    encode(value: unknown): Uint8Array {
      if (value instanceof Uint8Array) return value;
      if (value === undefined) return new Uint8Array(0);
      const given = value === null ? 'null' : typeof value;
      throw new MicroError('invalid', `${contentType} codec: the value is a Uint8Array, not ${given}`);
    },
    decode: (body) => body,
  };
}

import { MicroError } from '@ts-micro/core';
import { ignoreRejection, ignoreRejectionsIn } from '@ts-micro/kit';
import { ownBytes } from './own-bytes.ts';

/** The use of a body that is encoded or decoded, so that a codec with schemas can choose by it. */
export interface CodecUse {
  readonly kind: 'request' | 'response' | 'event';
  /** The endpoint (`Greeter.Hello`), or the topic of an event. */
  readonly name: string;
  /** The request's id; present where a legacy body repeats it. */
  readonly id?: string | undefined;
}

/**
 * Turns values into the bytes of one content type and back.
 *
 * `undefined` stands for "nothing": encoding it gives the content type's empty value. The bytes that `encode` gives may
 * be sent later, so it must not write into them again. What it throws reaches the caller as `invalid`, what `decode`
 * throws as `malformed`.
 */
export interface Codec {
  /** Matched exactly against the `Content-Type` header. */
  readonly contentType: string;
  encode(value: unknown, use: CodecUse): Uint8Array;
  decode(body: Uint8Array, use: CodecUse): unknown;
}

/**
 * A codec whose bodies carry the request's id, its endpoint and its error as well, as peers from before Go Micro's
 * headers expect.
 */
export interface LegacyCodec extends Codec {
  /** Returns the content of the wrapper; an absent part is empty. Throws `malformed`. */
  inspect(body: Uint8Array): LegacyEnvelope;
  encodeError(text: string): Uint8Array;
}

export interface LegacyEnvelope {
  readonly id: string;
  readonly endpoint: string;
  readonly error: string;
}

/** True for a codec that wraps bodies. */
export function isLegacy(codec: Codec): codec is LegacyCodec {
  return 'inspect' in codec;
}

/** Encodes; whatever a codec throws becomes `invalid`, and so does what it returns that is no bytes. */
export function encodeBody(codec: Codec, value: unknown, use: CodecUse): Uint8Array {
  let encoded: unknown;
  try {
    encoded = codec.encode(value, use);
  } catch (error) {
    // The codec may have met a promise that nobody awaited.
    ignoreRejectionsIn(value);
    throw MicroError.from(error, 'invalid', `${codec.contentType}: ${use.kind} of "${use.name}" cannot be encoded`);
  }
  const bytes = ownBytes(encoded);
  if (bytes !== undefined) return bytes;
  const noun = ignoreRejection(encoded) ? 'a promise' : nounOf(encoded);
  const what = `${use.kind} of "${use.name}" cannot be encoded: the codec returned ${noun} and no bytes`;
  throw new MicroError('invalid', `${codec.contentType}: ${what}`);
}

/** Decodes; whatever a codec throws becomes `malformed`. */
export function decodeBody(codec: Codec, body: Uint8Array, use: CodecUse): unknown {
  try {
    const value = codec.decode(body, use);
    if (typeof value !== 'object' || value === null || !('then' in value) || !ignoreRejection(value)) return value;
  } catch (error) {
    throw MicroError.from(error, 'malformed', `${codec.contentType}: ${use.kind} of "${use.name}" cannot be decoded`);
  }
  const what = `${use.kind} of "${use.name}" cannot be decoded: the codec returned a promise`;
  throw new MicroError('malformed', `${codec.contentType}: ${what}`);
}

function nounOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

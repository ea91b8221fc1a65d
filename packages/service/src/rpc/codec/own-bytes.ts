import { isTransferred } from '@ts-micro/kit';

/**
 * Returns what a user gave as bytes: a `Uint8Array` as it is, one of another realm (Jest, `vm`) as this realm's without
 * a copy, and `undefined` for anything else, also where its buffer was transferred. Never throws.
 */
export function ownBytes(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return isTransferred(value) ? undefined : value;
  if (!ArrayBuffer.isView(value) || Object.prototype.toString.call(value) !== '[object Uint8Array]') return undefined;
  if (isTransferred(value as Uint8Array)) return undefined;
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

import * as types from 'node:util/types';

/**
 * Says what in a value is lost in the JSON text made of it, with its path: `items[0].tags: a Map has no JSON form`.
 * `undefined` where nothing is. Never throws.
 *
 * It is about what `JSON.stringify` empties in silence: maps, sets, bytes, errors, regular expressions,
 * promises that nobody awaited, and iterables.
 */
export function lostInJson(value: unknown, text: string): string | undefined {
  // All of these become `{}`, and bytes `{"0":1}`: only where the text has one is the value looked at.
  if (!text.includes('{}') && !text.includes('{"0":')) return undefined;
  try {
    return lossIn(value, '');
  } catch {
    // A getter that throws this time, or what is nested too deep.
    return undefined;
  }
}

function lossIn(value: unknown, path: string): string | undefined {
  if (typeof value !== 'object' || value === null || hasJsonForm(value)) return undefined;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const loss = lossIn(value[index], `${path}[${index}]`);
      if (loss !== undefined) return loss;
    }
    return undefined;
  }
  const kind = lostKind(value);
  if (kind !== undefined) return `${path === '' ? '' : `${path}: `}${kind} no JSON form`;
  for (const key of Object.keys(value)) {
    const item: unknown = (value as Record<string, unknown>)[key];
    if (typeof item !== 'object' || item === null) continue;
    const loss = lossIn(item, path === '' ? key : `${path}.${key}`);
    if (loss !== undefined) return loss;
  }
  return undefined;
}

function lostKind(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return undefined;
  if (types.isMap(value)) return 'a Map has';
  if (types.isSet(value)) return 'a Set has';
  if (types.isPromise(value)) return 'a Promise that was not awaited has';
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return 'bytes have';
  if (types.isWeakMap(value) || types.isWeakSet(value)) return 'a weak collection has';
  if (types.isRegExp(value)) return 'a RegExp has';
  if (types.isNativeError(value) && Object.keys(value).length === 0) return 'an Error has';
  const isIterable = Symbol.iterator in value || Symbol.asyncIterator in value;
  return isIterable && !types.isBoxedPrimitive(value) && Object.keys(value).length === 0
    ? 'an iterable has'
    : undefined;
}

function hasJsonForm(value: object): boolean {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function';
}

import type { TextMapGetter, TextMapSetter } from '@opentelemetry/api';
import type { Headers } from '@ts-micro/core';

const written = new Map<string, string>();

/** The name as Go Micro writes it: `Traceparent`, which plain NATS clients in Go look for as well. */
function goName(key: string): string {
  let name = written.get(key);
  if (name === undefined) {
    name = key.replace(/(^|[^A-Za-z0-9_])([a-z])/g, (_all, before: string, letter: string) =>
      before.concat(letter.toUpperCase()),
    );
    // Only propagators choose keys, and each has a few.
    if (written.size < 100) written.set(key, name);
  }
  return name;
}

/** Reads a propagator's fields out of headers, whose names are the same in any case. */
export const headersGetter: TextMapGetter<Headers> = {
  keys: (headers) => Object.keys(headers),
  get: (headers, key) => {
    const usual = headers[goName(key)] ?? headers[key];
    if (usual !== undefined) return usual;
    for (const name in headers) {
      if (name.length === key.length && name.toLowerCase() === key.toLowerCase()) return headers[name];
    }
    return undefined;
  },
};

/** Writes them, instead of those that are there in another case. */
export const headersSetter: TextMapSetter<Record<string, string>> = {
  set: (headers, key, value) => {
    const own = goName(key);
    for (const name in headers) {
      if (name.length === own.length && name !== own && name.toLowerCase() === own.toLowerCase()) delete headers[name];
    }
    headers[own] = value;
  },
};

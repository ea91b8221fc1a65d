import type { Headers } from '@ts-micro/core';
import { defaultContentType } from '../../rpc/codec/content-type.ts';

/** The content type of an event: its name is one in any case, as plain clients of a broker write it as they like. */
export function contentTypeOf(headers: Headers): string {
  const exact = headers['Content-Type'];
  if (exact !== undefined) return exact || defaultContentType;
  for (const name in headers) {
    if (name.length === 12 && name.toLowerCase() === 'content-type') return headers[name] || defaultContentType;
  }
  return defaultContentType;
}

/** A content type without its parameters, in lower case: `Application/JSON; charset=utf-8` is `application/json`. */
export function mediaType(contentType: string): string {
  const [type = ''] = contentType.split(';', 1);
  return type.trim().toLowerCase();
}

import type { Message } from '@ts-micro/core';
import { hasMoreParts, mostJsonParts } from '../budget/json-parts.ts';

const brace = 0x7b;

/** Returns a message as Go's encoding/json writes Go Micro's `broker.Message`: headers, and the body in base64. */
export function messageToJson({ headers, body }: Message): string {
  return JSON.stringify({ Header: headers, Body: Buffer.from(body).toString('base64') });
}

/** Returns the message of such a JSON; `undefined` where it is none, because others write to a topic as well. */
export function messageFromJson(bytes: Buffer): Message | undefined {
  if (bytes[0] !== brace || hasMoreParts(bytes, mostJsonParts)) return undefined;
  try {
    const { Header, Body, ...others } = JSON.parse(bytes.toString('utf8'));
    const entries = Object.entries<unknown>(Header ?? {});
    const isMessage =
      (Header !== undefined || Body !== undefined) &&
      Object.keys(others).length === 0 &&
      (Body === null || Body === undefined || typeof Body === 'string') &&
      (Header === null || Header === undefined || (typeof Header === 'object' && !Array.isArray(Header))) &&
      entries.every(([, text]) => typeof text === 'string');
    const body = isMessage ? bytesOfBase64(Body ?? '') : undefined;
    return body && { headers: Object.fromEntries(entries) as Record<string, string>, body };
  } catch {
    return undefined;
  }
}

/** Undefined for what Go refuses to decode; Node passes over what is no sign of base64. */
function bytesOfBase64(text: string): Uint8Array | undefined {
  const padding = text.endsWith('==') ? 2 : Number(text.endsWith('='));
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  return bytes.length === (text.length / 4) * 3 - padding ? bytes : undefined;
}

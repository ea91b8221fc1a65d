import type { Message } from '@ts-micro/core';

const brace = 0x7b;

/** Returns a message as Go's encoding/json writes Go Micro's `broker.Message`: headers, and the body in base64. */
export function messageToJson({ headers, body }: Message): string {
  return JSON.stringify({ Header: headers, Body: Buffer.from(body).toString('base64') });
}

/** Returns the message of such a JSON; `undefined` where it is none, because others write to a topic as well. */
export function messageFromJson(bytes: Buffer): Message | undefined {
  if (bytes[0] !== brace) return undefined;
  try {
    const { Header, Body, ...others } = JSON.parse(bytes.toString('utf8'));
    const entries = Object.entries<unknown>(Header ?? {});
    const isMessage =
      (Header !== undefined || Body !== undefined) &&
      Object.keys(others).length === 0 &&
      (Body === null || Body === undefined || typeof Body === 'string') &&
      entries.every(([, text]) => typeof text === 'string');
    if (!isMessage) return undefined;
    return {
      headers: Object.fromEntries(entries) as Record<string, string>,
      body: Uint8Array.from(Buffer.from(Body ?? '', 'base64')),
    };
  } catch {
    return undefined;
  }
}

import { readFileSync } from 'node:fs';
import type { Message } from '@ts-micro/core';

interface Sample {
  readonly about: string;
  readonly headers?: Record<string, string>;
  readonly body: string | null;
}

const file = JSON.parse(readFileSync(new URL('../golden/rpc.json', import.meta.url), 'utf8')) as {
  readonly messages: Record<string, Sample>;
  readonly errorTexts: readonly string[];
};

/** Error texts as Go Micro peers send them. */
export const goldenErrorTexts: readonly string[] = file.errorTexts;

/** A message exactly as a Go Micro peer sends it, by its name in the golden file. */
export function golden(name: string): Message {
  const sample = file.messages[name];
  if (sample === undefined) throw new Error(`no golden sample "${name}"`);
  return { headers: sample.headers ?? {}, body: new Uint8Array(Buffer.from(sample.body ?? '', 'base64')) };
}

/** The headers without one spelling of the id, as peers of other versions do not send both. */
export function without(message: Message, ...names: readonly string[]): Message {
  const headers = { ...message.headers };
  for (const name of names) delete headers[name];
  return { headers, body: new Uint8Array(message.body) };
}

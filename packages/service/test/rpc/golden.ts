import { readFileSync } from 'node:fs';
import type { Message } from '@ts-micro/core';

interface Sample {
  readonly about: string;
  readonly headers?: Record<string, string>;
  readonly body: string | null;
}

const text = readFileSync(new URL('../golden/rpc.json', import.meta.url), 'utf8');
const file = JSON.parse(text) as { readonly errorTexts: readonly string[] };

/** Error texts as Go Micro peers send them. */
export const goldenErrorTexts: readonly string[] = file.errorTexts;

/** The messages of a golden file by name. */
export function goldenFrom(json: string): (name: string) => Message {
  const { messages } = JSON.parse(json) as { readonly messages: Record<string, Sample> };
  return (name) => {
    const sample = messages[name];
    if (sample === undefined) throw new Error(`no golden sample "${name}"`);
    return { headers: sample.headers ?? {}, body: new Uint8Array(Buffer.from(sample.body ?? '', 'base64')) };
  };
}

/** A message exactly as a Go Micro peer sends it, by its name in the golden file. */
export const golden: (name: string) => Message = goldenFrom(text);

/** The headers without one spelling of the id, as peers of other versions do not send both. */
export function without(message: Message, ...names: readonly string[]): Message {
  const headers = { ...message.headers };
  for (const name of names) delete headers[name];
  return { headers, body: new Uint8Array(message.body) };
}

import type { Headers, MicroError } from '@ts-micro/core';
import { statusOfCode } from '@ts-micro/service';

/** An error as a plain NATS client is told of it. */
export interface ErrorAnswer {
  readonly code: number;
  readonly text: string;
  readonly headers: Headers;
  /** Go Micro's error as JSON, for those who want more than the words. */
  readonly body: Uint8Array;
}

const maxTextLength = 1000;

/** The words of a handler where it was one that answered, else those of the runtime. */
export function errorAnswerOf(error: MicroError, service: string): ErrorAnswer {
  const { remote } = error;
  const code = remote?.code || statusOfCode(error.code);
  const words = remote?.detail || remote?.status || error.message;
  const text = oneLine(words);
  const { id = service, status = '', name, data } = remote ?? {};
  return {
    code,
    text,
    headers: { 'Nats-Service-Error': text, 'Nats-Service-Error-Code': String(code) },
    body: Buffer.from(JSON.stringify({ id, code, detail: words, status, name, data })),
  };
}

function oneLine(words: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what a header cannot carry.
  const line = words.replace(/[\x00-\x1f\x7f]+/g, ' ').trim();
  return line.length > maxTextLength ? `${line.slice(0, maxTextLength)}...` : line;
}

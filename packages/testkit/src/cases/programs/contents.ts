import type { Message } from '@ts-micro/core';
import { message } from '../../assertions.ts';
import { emptyMessage, oddHeaders, prototypeHeaders, rawMessage } from '../odd-messages.ts';

/** What the messages of programs are. */
export const contents: readonly (() => Message)[] = [
  () => message('text'),
  () => message('text', { 'Content-Type': 'text/plain' }),
  rawMessage,
  oddHeaders,
  prototypeHeaders,
  emptyMessage,
];

const numberHeader = 'Program-Number';

/** The message with its number in a header. */
export function numbered({ headers, body }: Message, number: number): Message {
  return { headers: Object.freeze({ ...headers, [numberHeader]: String(number) }), body };
}

/** The number of a message, or NaN where it has none. */
export function numberOf({ headers }: Message): number {
  return Number(headers[numberHeader] || Number.NaN);
}

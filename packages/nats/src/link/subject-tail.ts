import { utf8Of } from '@ts-micro/kit';
import type { NatsMessage } from '../connection/connection.ts';
import type { MessageLine } from '../vendor/whole-message.ts';
import { LinkMessage } from './link-message.ts';

/** Longer ones are read anew each time. */
const longest = 64;

/**
 * Reads what follows a prefix in the subjects of messages. A stream brings many with the same one after another, which
 * is compared and not read again.
 */
export class SubjectTail {
  readonly #prefixLength: number;
  readonly #prefixBytes: number;
  readonly #last: Uint8Array = new Uint8Array(longest);
  #lastLength = 0;
  #text = '';

  constructor(prefix: string) {
    this.#prefixLength = prefix.length;
    this.#prefixBytes = Buffer.byteLength(prefix);
  }

  /** Returns the subject of `message`, which begins with the prefix, without it. */
  of(message: NatsMessage): string {
    const line = message instanceof LinkMessage ? message.line : undefined;
    if (line === undefined) return message.subject.slice(this.#prefixLength);
    if (!this.#isLast(line)) this.#read(line);
    return this.#text;
  }

  #isLast({ bytes, subjectStart, subjectEnd }: MessageLine): boolean {
    const start = subjectStart + this.#prefixBytes;
    const length = this.#lastLength;
    if (subjectEnd - start !== length) return false;
    for (let index = 0; index < length; index++) if (bytes[start + index] !== this.#last[index]) return false;
    return true;
  }

  #read({ bytes, subjectStart, subjectEnd }: MessageLine): void {
    const start = subjectStart + this.#prefixBytes;
    const length = subjectEnd - start;
    this.#text = utf8Of(bytes, start, subjectEnd);
    this.#lastLength = length > longest ? -1 : length;
    for (let index = 0; index < this.#lastLength; index++) this.#last[index] = bytes[start + index] as number;
  }
}

import { utf8Of } from '@ts-micro/kit';
import type { NatsMessage } from '../connection/connection.ts';
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
    const subject = message instanceof LinkMessage ? message.subjectBytes : undefined;
    if (subject === undefined) return message.subject.slice(this.#prefixLength);
    if (!this.#isLast(subject)) this.#read(subject);
    return this.#text;
  }

  #isLast(subject: Uint8Array): boolean {
    const start = this.#prefixBytes;
    const length = this.#lastLength;
    if (subject.length - start !== length) return false;
    for (let index = 0; index < length; index++) if (subject[start + index] !== this.#last[index]) return false;
    return true;
  }

  #read(subject: Uint8Array): void {
    const start = this.#prefixBytes;
    const length = subject.length - start;
    this.#text = utf8Of(subject, start);
    this.#lastLength = length > longest ? -1 : length;
    for (let index = 0; index < this.#lastLength; index++) this.#last[index] = subject[start + index] as number;
  }
}

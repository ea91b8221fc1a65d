/**
 * The beginning of the line of a message, up to its size, for a subject that has many messages one after another: it is
 * put together once.
 */
export class RepeatedLine {
  #subject: string | undefined;
  #reply: string | undefined;
  #bytes: Uint8Array | undefined;

  /** Returns `PUB <subject> [<reply> ]`; `undefined` where the message before had another subject or reply subject. */
  for(subject: string, reply: string | undefined): Uint8Array | undefined {
    if (subject === this.#subject && reply === this.#reply) {
      this.#bytes ??= Buffer.from(reply === undefined ? `PUB ${subject} ` : `PUB ${subject} ${reply} `);
      return this.#bytes;
    }
    this.#subject = subject;
    this.#reply = reply;
    this.#bytes = undefined;
    return undefined;
  }
}

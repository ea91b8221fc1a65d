/**
 * Records what one side has sent since something came back: it alone decides whether a failure is safe to retry, which
 * is so only where the peer cannot have taken any message.
 */
export class SentRecord {
  #begun = 0;
  #answered = 0;
  #others = 0;
  #largest = 0;

  /** The size of the largest message, in bytes, that was sent whole since something came back. */
  get largest(): number {
    return this.#largest;
  }

  /** How many messages were begun, also those that are on their way in chunks. */
  get begun(): number {
    return this.#begun;
  }

  /** A message is sent, whole with `size` bytes, or the first chunk of it. */
  begin(size = 0): void {
    this.#begun++;
    if (size > this.#largest) this.#largest = size;
  }

  /** The message begun last was given up. */
  giveUp(): void {
    this.#begun--;
  }

  /** A window update or probe was sent, which the server answers with "no responders" as well. */
  other(): void {
    this.#others++;
  }

  /**
   * A window update came: the peer is there, so that a later "no responders" is about something that was sent after
   * this.
   */
  alive(): void {
    this.#others = 0;
  }

  /** A message came back, so that what was sent before it was taken. */
  answered(): void {
    this.#answered = this.#begun;
    this.#others = 0;
    this.#largest = 0;
  }

  /** Whether anything ever came back. */
  get wasAnswered(): boolean {
    return this.#answered > 0;
  }

  /**
   * Whether "no responders" means that no message was taken: it can be about one only, as with two of them the first
   * may have run. About a probe alone, when all was answered, it says nothing of a message.
   */
  get isSafeAfterNoResponders(): boolean {
    return this.#begun - this.#answered === 1 && this.#others === 0;
  }

  /**
   * Whether a close after which the peer says that it received `received` messages means that none of those waiting was
   * taken.
   */
  isSafeAfterClose(received: number): boolean {
    return received <= this.#answered && this.#begun > this.#answered;
  }
}

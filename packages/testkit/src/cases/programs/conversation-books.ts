import assert from 'node:assert/strict';
import { type Message, MicroError, type Socket } from '@ts-micro/core';
import { assertMessage } from '../../assertions.ts';
import { numbered } from './contents.ts';

/** One end of a conversation, what it sent, and how much of what the other end sent it has taken. */
export class End {
  readonly name: string;
  readonly socket: Socket;
  readonly sent: Message[] = [];
  readonly #hasNotice: boolean;
  readonly #fail: (fault: string) => void;
  #peer: End | undefined;
  #taken = 0;
  #wanted = 0;
  #isOver = false;
  #isReading = false;
  #onTaken: () => void = () => {};
  #sending: Promise<void>[] = [];
  /** It has been told to close. */
  isClosed = false;

  constructor(name: string, socket: Socket, hasNotice: boolean, fail: (fault: string) => void) {
    this.name = name;
    this.socket = socket;
    this.#hasNotice = hasNotice;
    this.#fail = fail;
  }

  get peer(): End {
    assert.ok(this.#peer);
    return this.#peer;
  }

  set peer(peer: End) {
    this.#peer = peer;
  }

  /** How much was sent to it that it has not taken. */
  get unread(): number {
    return this.peer.sent.length - this.#taken;
  }

  /** Everything it may wait for has come. */
  get isIdle(): boolean {
    return !this.#isReading;
  }

  /** Sends without waiting; what becomes of it is judged as it settles. */
  send(message: Message): Promise<void> {
    const copy = numbered(message, this.sent.length);
    this.sent.push(copy);
    const sending = this.socket.send(copy).catch((error: unknown) => {
      // What is sent to one that closes may be refused.
      if (!this.isClosed && !this.peer.isClosed) this.#fail(`a send of ${this.name} was refused: ${error}`);
    });
    this.#sending.push(sending);
    return sending;
  }

  /** Waits for what it has sent to be handed over. */
  async handedOver(): Promise<void> {
    await Promise.all(this.#sending);
    this.#sending = [];
  }

  /** Has it take so many more, as they come. */
  want(count: number): void {
    this.#wanted = Math.max(this.#wanted, this.#taken) + count;
    this.#read();
  }

  /** Returns how many it waits for beyond what was sent to it. */
  get wantsBeyond(): number {
    return Math.max(0, this.#wanted - this.peer.sent.length);
  }

  /** Has it take everything that was sent to it, and the end where the other end has closed and that shows. */
  async finish(): Promise<void> {
    const sent = this.peer.sent.length;
    const hasEnd = this.peer.isClosed && this.#hasNotice;
    this.#wanted = Math.max(this.#wanted, sent + (hasEnd ? 1 : 0));
    this.#read();
    while (!this.#isOver && (hasEnd || this.#taken < sent))
      await new Promise<void>((resolve) => {
        this.#onTaken = resolve;
      });
  }

  /** Takes one unless the signal aborts first. */
  async receiveUnlessAborted(controller: AbortController, turns: number): Promise<void> {
    const receiving = this.socket.receive({ signal: controller.signal });
    receiving.catch(() => {});
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    try {
      this.#take(await receiving);
    } catch (error) {
      if (!MicroError.is(error, 'canceled')) this.#fail(`a receive of ${this.name}, aborted: ${error}`);
    }
  }

  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    void this.#readOn();
  }

  async #readOn(): Promise<void> {
    while (this.#taken < this.#wanted && !this.#isOver && !this.isClosed) {
      try {
        this.#take(await this.socket.receive());
      } catch (error) {
        this.#isOver = true;
        // What was sent to one that has closed may have found nobody.
        const isFair = this.peer.isClosed && this.unread === 0 && MicroError.is(error, 'unavailable');
        if (!this.isClosed && !isFair) this.#fail(`a receive of ${this.name}: ${error}`);
      }
      this.#onTaken();
    }
    // In the same turn as the last look, so that nobody wants more of one that has stopped.
    this.#isReading = false;
  }

  #take(message: Message | undefined): void {
    if (message === undefined) {
      this.#isOver = true;
      if (this.isClosed) return;
      if (!this.peer.isClosed) this.#fail(`${this.name} got an end, and nobody closed`);
      else if (this.unread > 0)
        this.#fail(`${this.name} got an end, and ${this.unread} messages before it did not come`);
      return;
    }
    const number = this.#taken++;
    const expected = this.peer.sent[number];
    try {
      assert.ok(expected, 'it was never sent');
      assertMessage(message, expected, 'it');
    } catch (error) {
      this.#fail(`message ${number} at ${this.name}: ${(error as Error).message}`);
    }
  }
}

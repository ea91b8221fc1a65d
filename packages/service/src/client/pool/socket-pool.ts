import type { Socket } from '@ts-micro/core';

/**
 * The idle sockets to one address, the last one given back taken first.
 *
 * A socket is given back only after its exchange is over, so whoever takes it has it alone.
 */
export class SocketPool {
  readonly address: string;
  readonly #limit: number;
  readonly #sockets: Socket[] = [];
  // When each was last sent on, beside the sockets rather than in an object for each: giving and taking allocate
  // nothing.
  readonly #usedAtMs: number[] = [];
  #lastAnsweredMs = 0;
  #isDropped = false;

  constructor(address: string, limit: number) {
    this.address = address;
    this.#limit = limit;
  }

  get size(): number {
    return this.#sockets.length;
  }

  /** When the latest request was sent that got an answer from this address: evidence that it lives. */
  get lastAnsweredMs(): number {
    return this.#lastAnsweredMs;
  }

  /** Takes an idle socket last used at `usedSinceMs` or later. Older ones are closed. */
  take(usedSinceMs: number): Socket | undefined {
    const socket = this.#sockets.pop();
    if (socket === undefined) return undefined;
    if ((this.#usedAtMs.pop() as number) >= usedSinceMs) return socket;
    void socket.close();
    this.clear();
    return undefined;
  }

  /**
   * Gives back a socket whose exchange succeeded; `usedAtMs` is when its request was sent, as that is what a peer's
   * idle limit counts from. What exceeds the limit, or comes back after `drop`, is closed.
   */
  give(socket: Socket, usedAtMs: number): void {
    if (usedAtMs > this.#lastAnsweredMs) this.#lastAnsweredMs = usedAtMs;
    if (this.#isDropped || this.#sockets.length >= this.#limit) {
      void socket.close();
      return;
    }
    this.#sockets.push(socket);
    this.#usedAtMs.push(usedAtMs);
  }

  /** Closes the sockets last used before `usedSinceMs`. */
  trim(usedSinceMs: number): void {
    let kept = 0;
    for (let index = 0; index < this.#sockets.length; index++) {
      const socket = this.#sockets[index] as Socket;
      const usedAtMs = this.#usedAtMs[index] as number;
      if (usedAtMs < usedSinceMs) {
        void socket.close();
      } else {
        this.#sockets[kept] = socket;
        this.#usedAtMs[kept] = usedAtMs;
        kept++;
      }
    }
    this.#sockets.length = kept;
    this.#usedAtMs.length = kept;
  }

  /** Closes every idle socket. */
  clear(): void {
    this.trim(Number.POSITIVE_INFINITY);
  }

  /** Closes every idle socket, and those in use as they come back. */
  drop(): void {
    this.#isDropped = true;
    this.clear();
  }
}

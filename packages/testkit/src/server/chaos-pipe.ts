import type { Socket } from 'node:net';

const heldBytesLimit = 1024 * 1024;

/** The faults that a chaos proxy applies to the bytes that pass; read anew for every piece. */
export interface ChaosFaults {
  mode: 'pass' | 'stall' | 'swallow';
  delayMs: number;
  /** 0 is no limit. */
  bytesPerSecond: number;
}

/**
 * One direction of one link: takes bytes from `source` and writes them to `target`, in order, as the faults of the
 * moment allow.
 */
export class ChaosPipe {
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #faults: ChaosFaults;
  readonly #held: { piece: Buffer; due: number }[] = [];
  #heldBytes = 0;
  #freeAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #isEnded = false;
  /** Bytes or the end of `source` were thrown away, so the link can never be whole again. */
  hasSwallowed = false;
  #isSilent = false;

  constructor(source: Socket, target: Socket, faults: ChaosFaults) {
    this.#source = source;
    this.#target = target;
    this.#faults = faults;
    source.on('data', (chunk: Buffer) => this.#take(chunk));
    source.once('end', () => {
      this.#isEnded = true;
      this.flush();
    });
    target.on('drain', () => this.flush());
  }

  /** Writes what is due. Called again by itself for what is not. */
  flush(): void {
    clearTimeout(this.#timer);
    if (this.#isSilent || this.#faults.mode === 'swallow') {
      if (this.#isEnded || this.#held.length > 0) this.#swallow();
      return;
    }
    if (this.#faults.mode === 'stall' || this.#target.destroyed) return;
    for (let head = this.#held[0]; head !== undefined; head = this.#held[0]) {
      if (this.#target.writableNeedDrain) return;
      const waitMs = Math.max(head.due, this.#freeAt) - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.flush(), waitMs);
        return;
      }
      this.#held.shift();
      this.#heldBytes -= head.piece.length;
      this.#target.write(head.piece);
      const { bytesPerSecond } = this.#faults;
      if (bytesPerSecond > 0) this.#freeAt = performance.now() + (head.piece.length / bytesPerSecond) * 1000;
    }
    if (this.#isEnded) this.#target.end();
    else this.#source.resume();
  }

  /** Throws away whatever comes from now on, for good. */
  silence(): void {
    this.#isSilent = true;
    this.flush();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#held.length = 0;
  }

  #take(chunk: Buffer): void {
    if (this.#isSilent || this.#faults.mode === 'swallow') {
      this.hasSwallowed = true;
      return;
    }
    const { bytesPerSecond } = this.#faults;
    // A limited link trickles in fiftieths of a second, instead of waiting long and writing much.
    const size = bytesPerSecond > 0 ? Math.max(1, Math.ceil(bytesPerSecond / 50)) : chunk.length;
    const due = performance.now() + this.#faults.delayMs;
    for (let at = 0; at < chunk.length; at += size) this.#held.push({ piece: chunk.subarray(at, at + size), due });
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > heldBytesLimit) this.#source.pause();
    this.flush();
  }

  #swallow(): void {
    this.hasSwallowed = true;
    this.#held.length = 0;
    this.#heldBytes = 0;
    this.#source.resume();
  }
}

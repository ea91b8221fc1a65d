import { SocketPool } from './socket-pool.ts';

/** A pool for each address in use. One timer trims them all, and only while there is something to trim. */
export class SocketPools {
  readonly #pools = new Map<string, SocketPool>();
  readonly #limit: number;
  readonly #idleMs: number;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** At most `limit` idle sockets for each address, none idle for longer than `idleMs`. */
  constructor(limit: number, idleMs: number, now: () => number) {
    this.#limit = limit;
    this.#idleMs = idleMs;
    this.#now = now;
  }

  /** Idle sockets over all addresses. */
  get size(): number {
    let size = 0;
    for (const pool of this.#pools.values()) size += pool.size;
    return size;
  }

  /** The pool of an address, made at first use. */
  of(address: string): SocketPool {
    const present = this.#pools.get(address);
    if (present !== undefined) return present;
    const pool = new SocketPool(address, this.#limit);
    if (this.#isClosed) {
      pool.drop();
      return pool;
    }
    this.#pools.set(address, pool);
    this.#timer ??= setTimeout(() => this.#trim(), this.#idleMs / 2).unref();
    return pool;
  }

  /** Forgets an address: a node that left. */
  drop(address: string): void {
    this.#pools.get(address)?.drop();
    this.#pools.delete(address);
  }

  /** Closes every idle socket, and those in use as they come back. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const pool of this.#pools.values()) pool.drop();
    this.#pools.clear();
  }

  #trim(): void {
    this.#timer = undefined;
    const usedSinceMs = this.#now() - this.#idleMs;
    for (const pool of this.#pools.values()) {
      pool.trim(usedSinceMs);
      // Sockets still out are closed when they come back to a dropped pool, which costs their next use one dial.
      if (pool.size === 0 && pool.lastAnsweredMs < usedSinceMs) this.drop(pool.address);
    }
    if (this.#pools.size > 0) this.#timer = setTimeout(() => this.#trim(), this.#idleMs / 2).unref();
  }
}

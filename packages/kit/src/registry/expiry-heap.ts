/** Something that expires, and its place in the heap it is in. */
export interface Expiring {
  /** On the clock of `performance.now()`. */
  expiresAt: number;
  /** Kept by the heap: -1 outside of it. */
  heapIndex: number;
}

/**
 * Orders what expires by when it does: adding, moving and removing one of n costs O(log n), reading the first
 * nothing.
 */
export class ExpiryHeap<T extends Expiring> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The item that expires first. */
  get first(): T | undefined {
    return this.#items[0];
  }

  /** Gives an item the time at which it expires. One that never does (`Infinity`) is not held. */
  set(item: T, expiresAt: number): void {
    if (expiresAt === Number.POSITIVE_INFINITY) {
      this.delete(item);
      item.expiresAt = expiresAt;
      return;
    }
    item.expiresAt = expiresAt;
    if (item.heapIndex < 0) item.heapIndex = this.#items.push(item) - 1;
    this.#settle(item);
  }

  delete(item: T): void {
    const index = item.heapIndex;
    if (index < 0) return;
    item.heapIndex = -1;
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    this.#place(last, index);
    this.#settle(last);
  }

  #settle(item: T): void {
    let index = item.heapIndex;
    for (let parent = this.#items[(index - 1) >> 1]; index > 0 && parent && parent.expiresAt > item.expiresAt; ) {
      this.#place(parent, index);
      index = (index - 1) >> 1;
      parent = this.#items[(index - 1) >> 1];
    }
    for (;;) {
      const [left, right] = [this.#items[2 * index + 1], this.#items[2 * index + 2]];
      const child = right && left && right.expiresAt < left.expiresAt ? right : left;
      if (child === undefined || child === item || child.expiresAt >= item.expiresAt) break;
      const childIndex = child.heapIndex;
      this.#place(child, index);
      index = childIndex;
    }
    this.#place(item, index);
  }

  #place(item: T, index: number): void {
    this.#items[index] = item;
    item.heapIndex = index;
  }
}

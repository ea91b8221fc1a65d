import { MicroError } from '@ts-micro/core';

/** Whoever holds the bytes of one message that has not come whole. */
export interface BytesHolder {
  /** The peer they came from: holders of one peer share its part. */
  readonly peer: string;
  /** Called where its bytes are needed by others: it lets go of them, and its socket fails with `cause`. */
  shed(cause: MicroError): void;
}

/**
 * Bounds what the messages of many sockets that have not come whole may hold together, counted in bytes that arrived
 * and not in those announced.
 *
 * Without room, the holder whose last bytes came longest ago is shed: first one of the same peer, if that peer holds
 * more than half. A holder that is alone always has room.
 */
export class ReassemblyBudget {
  readonly limit: number;
  /** In the order in which their last bytes came. */
  readonly #held = new Map<BytesHolder, number>();
  readonly #byPeer = new Map<string, number>();
  #used = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** How many bytes are held. */
  get used(): number {
    return this.#used;
  }

  /** Takes `bytes` more for `holder`, and sheds others where there is no room. */
  take(holder: BytesHolder, bytes: number): void {
    const held = this.#held.get(holder) ?? 0;
    this.#held.delete(holder);
    this.#held.set(holder, held + bytes);
    this.#add(holder.peer, bytes);
    while ((this.#byPeer.get(holder.peer) ?? 0) > this.limit / 2) {
      if (!this.#shedIdlest((other) => other !== holder && other.peer === holder.peer)) break;
    }
    while (this.#used > this.limit) if (!this.#shedIdlest((other) => other !== holder)) break;
  }

  /** Gives back all that `holder` has. */
  give(holder: BytesHolder): void {
    const held = this.#held.get(holder);
    if (held === undefined) return;
    this.#held.delete(holder);
    this.#add(holder.peer, -held);
  }

  #add(peer: string, bytes: number): void {
    this.#used += bytes;
    const left = (this.#byPeer.get(peer) ?? 0) + bytes;
    if (left > 0) this.#byPeer.set(peer, left);
    else this.#byPeer.delete(peer);
  }

  #shedIdlest(isMeant: (other: BytesHolder) => boolean): boolean {
    for (const holder of this.#held.keys()) {
      if (!isMeant(holder)) continue;
      this.give(holder);
      holder.shed(new MicroError('unavailable', `incomplete messages hold more than ${this.limit} bytes together`));
      return true;
    }
    return false;
  }
}

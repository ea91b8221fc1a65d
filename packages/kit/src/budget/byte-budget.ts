import { MicroError } from '@ts-micro/core';

/** Whoever holds bytes that others may need. */
export interface BytesHolder {
  /** The peer they came from: holders of one peer share its part. */
  readonly peer: string;
  /** Called where its bytes are needed by others, and given back already: it lets go of them because of `cause`. */
  shed(cause: MicroError): void;
}

/** What one peer holds of a budget. */
interface Share {
  readonly peer: string;
  bytes: number;
  /** In the order in which their last bytes came. */
  readonly holdings: Set<HeldBytes>;
  /** The one that goes on where the peer holds much. */
  leader: HeldBytes | undefined;
  /** Those that wait until they may go on, and what tells them. */
  waiting: Map<HeldBytes, () => void> | undefined;
}

/** From this part of the limit on, only one holder of a peer goes on at a time. */
const muchShare = 1 / 4;

/** How often the order is looked after, in parts of the limit: not for each few bytes. */
const steps = 65_536;

/**
 * Bounds what many holders keep together, such as what came to the sockets of a listener and was not received yet:
 * counted in bytes that arrived, half of it at most for the holders of one peer.
 *
 * Without room, the holder whose last bytes came longest ago is shed: first one of the same peer, if that peer holds
 * more than half. A holder that is alone always has room.
 *
 * Who asks for more, as the receiver of a large message does chunk by chunk, asks {@link HeldBytes.mayGoOn} first: once
 * its peer holds a quarter of all, its messages come whole one after another, and do not shed each other.
 */
export class ByteBudget {
  readonly limit: number;
  readonly #what: string;
  readonly #step: number;
  readonly #holdings = new Set<HeldBytes>();
  readonly #shares = new Map<string, Share>();
  #used = 0;

  /** `what` holds the bytes, in the words of the error with which a holder is shed: `messages that wait`. */
  constructor(limit: number, what: string) {
    this.limit = limit;
    this.#what = what;
    this.#step = limit / steps;
  }

  /** How many bytes are held. */
  get used(): number {
    return this.#used;
  }

  /** How many bytes the holders of this peer have. */
  usedBy(peer: string): number {
    return this.#shares.get(peer)?.bytes ?? 0;
  }

  /** Returns what one holder has, nothing at first. */
  holding(holder: BytesHolder): HeldBytes {
    return new HeldBytes(this, holder);
  }

  /** Of {@link HeldBytes}: it has some from now on. */
  enter(holding: HeldBytes): Share {
    const { peer } = holding.holder;
    let share = this.#shares.get(peer);
    if (share === undefined) {
      share = { peer, bytes: 0, holdings: new Set(), leader: undefined, waiting: undefined };
      this.#shares.set(peer, share);
    }
    share.holdings.add(holding);
    this.#holdings.add(holding);
    return share;
  }

  /** Of {@link HeldBytes}: so many more, and where `fresh` came since its place in the order was looked after. */
  take(holding: HeldBytes, share: Share, bytes: number, fresh: number): boolean {
    this.#used += bytes;
    share.bytes += bytes;
    const isMuch = fresh > this.#step;
    if (isMuch) {
      this.#holdings.delete(holding);
      this.#holdings.add(holding);
      share.holdings.delete(holding);
      share.holdings.add(holding);
    }
    if (this.#used > this.limit || share.bytes > this.limit / 2) this.#makeRoom(holding, share);
    return isMuch;
  }

  /** Of {@link HeldBytes}: so many less. */
  give(share: Share, bytes: number): void {
    this.#used -= bytes;
    share.bytes -= bytes;
    if (share.leader?.bytes === 0) share.leader = undefined;
    if (share.waiting !== undefined) this.#wake(share, share.waiting);
  }

  /** Of {@link HeldBytes}: whether it may ask for more; else `onTurn` is called once. */
  mayGoOn(holding: HeldBytes, share: Share, onTurn: () => void): boolean {
    const isMuch = share.bytes > this.limit * muchShare;
    if (isMuch) share.leader ??= holding;
    if (!isMuch || share.leader === holding) {
      share.waiting?.delete(holding);
      return true;
    }
    share.waiting ??= new Map();
    share.waiting.set(holding, onTurn);
    return false;
  }

  /** Of {@link HeldBytes}: the leader has brought nothing for long, and this one goes on in its place. */
  lead(holding: HeldBytes, share: Share): void {
    share.leader = holding;
  }

  /** Of {@link HeldBytes}: it has none any more. */
  leave(holding: HeldBytes, share: Share): void {
    this.#holdings.delete(holding);
    share.holdings.delete(holding);
    share.waiting?.delete(holding);
    if (share.holdings.size === 0) this.#shares.delete(share.peer);
  }

  #wake(share: Share, waiting: Map<HeldBytes, () => void>): void {
    for (const [holding, onTurn] of waiting) {
      const isMuch = share.bytes > this.limit * muchShare;
      if (isMuch && share.leader !== undefined) return;
      waiting.delete(holding);
      if (isMuch) share.leader = holding;
      onTurn();
    }
    if (waiting.size === 0) share.waiting = undefined;
  }

  #makeRoom(holding: HeldBytes, share: Share): void {
    while (share.bytes > this.limit / 2) if (!this.#shedIdlest(share.holdings, holding)) break;
    while (this.#used > this.limit) if (!this.#shedIdlest(this.#holdings, holding)) break;
  }

  #shedIdlest(holdings: ReadonlySet<HeldBytes>, except: HeldBytes): boolean {
    for (const holding of holdings) {
      if (holding === except) continue;
      const hasBytes = holding.bytes > 0;
      holding.release();
      if (!hasBytes) continue;
      holding.holder.shed(new MicroError('unavailable', `${this.#what} hold more than ${this.limit} bytes together`));
      return true;
    }
    return false;
  }
}

/** What one holder has of a {@link ByteBudget}. Taking and giving are a few additions. */
export class HeldBytes {
  readonly holder: BytesHolder;
  readonly #budget: ByteBudget;
  #share: Share | undefined;
  #bytes = 0;
  #fresh = 0;
  /** What the leader had when this one looked last. */
  #leaderHad = -1;

  /** As {@link ByteBudget.holding}. */
  constructor(budget: ByteBudget, holder: BytesHolder) {
    this.holder = holder;
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes so many more; others are shed where there is no room. */
  take(bytes: number): void {
    this.#share ??= this.#budget.enter(this);
    this.#bytes += bytes;
    this.#fresh += bytes;
    if (this.#budget.take(this, this.#share, bytes, this.#fresh)) this.#fresh = 0;
  }

  /**
   * Whether more may be asked for. Where its peer holds much, another one may have to come first: then `onTurn` is
   * called once it may. Call it again where nothing comes for long, with `isAgain`, as the other one may have stopped.
   */
  mayGoOn(onTurn: () => void, isAgain: boolean): boolean {
    const share = this.#share;
    if (share === undefined) return true;
    if (isAgain && share.leader !== undefined) {
      if (share.leader.bytes === this.#leaderHad) this.#budget.lead(this, share);
      this.#leaderHad = share.leader.bytes;
    }
    return this.#budget.mayGoOn(this, share, onTurn);
  }

  /** Gives so many back, and never more than it has, as after it was shed. */
  give(bytes: number): void {
    const given = Math.min(bytes, this.#bytes);
    if (this.#share === undefined) return;
    this.#bytes -= given;
    this.#budget.give(this.#share, given);
  }

  /** Gives all back, and is no more in the budget's order until it takes again. */
  release(): void {
    const share = this.#share;
    if (share === undefined) return;
    this.give(this.#bytes);
    this.#share = undefined;
    this.#fresh = 0;
    this.#budget.leave(this, share);
  }
}

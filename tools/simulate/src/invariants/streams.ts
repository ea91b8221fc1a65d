import type { World } from '../harness/world.ts';

export type Side = 'client' | 'handler';

export interface StreamValue {
  readonly stream: string;
  readonly from: Side;
  readonly number: number;
}

interface SideRecord {
  /** Values that were handed to `send`, and those it took. */
  begun: number;
  sent: number;
  received: number;
  /** It said itself that it sends nothing more, having sent everything. */
  hasEnded: boolean;
  /** It closed, aborted or left: what it meets afterwards is its own doing. */
  hasLeft: boolean;
  /** It left by an abort, before it had ended: its peer must not take that for an end. */
  hasAborted: boolean;
}

/**
 * One stream as both ends saw it: what arrives is a prefix of what was sent, in order, and the end comes after the last
 * message.
 */
export class StreamRecord {
  readonly id: string;
  readonly #world: World;
  /** Whether a lost message is noticed: Go Micro's envelope has no numbers. */
  readonly #isNumbered: boolean;
  readonly client: SideRecord = sideRecord();
  readonly handler: SideRecord = sideRecord();
  /** When its handler returned or threw. */
  handlerOverMs: number = Number.POSITIVE_INFINITY;

  constructor(world: World, id: string, isNumbered: boolean) {
    this.#world = world;
    this.id = id;
    this.#isNumbered = isNumbered;
  }

  /** The next value to send. */
  next(side: Side): StreamValue {
    return { stream: this.id, from: side, number: this[side].begun++ };
  }

  received(side: Side, value: unknown): void {
    const from: Side = side === 'client' ? 'handler' : 'client';
    const { stream, from: sender, number } = (value ?? {}) as Partial<StreamValue>;
    const mine = this[side];
    if (stream !== this.id || sender !== from || number === undefined) {
      this.#world.broken(`the ${side} of ${this.id} received ${JSON.stringify(value).slice(0, 200)}`);
      return;
    }
    const isNext = number === mine.received;
    if (this.#isNumbered ? !isNext : number < mine.received)
      this.#world.broken(`the ${side} of ${this.id} received ${number}, and ${mine.received} was to come`);
    if (number >= this[from].begun) this.#world.broken(`the ${side} of ${this.id} received what was not sent yet`);
    mine.received = number + 1;
  }

  /**
   * `receive` gave `undefined` to a side that had not closed. Judged a moment later, when the other side has said what
   * it did.
   */
  sawEnd(side: Side): void {
    const mine = this[side];
    const peer = this[side === 'client' ? 'handler' : 'client'];
    if (mine.hasLeft) return;
    const { received } = mine;
    const judge = () => {
      if (peer.hasAborted && this.#isNumbered)
        this.#world.broken(`the ${side} of ${this.id} saw an end, and the other side had aborted`);
      if (peer.hasLeft) return;
      if (!peer.hasEnded) this.#world.broken(`the ${side} of ${this.id} saw an end, and the other side had not ended`);
      else if (this.#isNumbered && received < peer.sent)
        this.#world.broken(`the ${side} of ${this.id} saw the end after ${received} of ${peer.sent} values`);
    };
    this.#world.clock.schedule(1, judge, 'harness', 'world');
  }
}

function sideRecord(): SideRecord {
  return { begun: 0, sent: 0, received: 0, hasEnded: false, hasLeft: false, hasAborted: false };
}

/**
 * A change that no test can find, because nothing that anybody can see differs; or one whose difference is not
 * promised.
 */
export interface Equivalent {
  readonly file: string;
  readonly operator: string;
  /** The line it is on, without the blanks around it. */
  readonly line: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

export const equivalents: readonly Equivalent[] = [
  {
    file: 'packages/transport-nats/src/listener/accepted-line.ts',
    operator: 'removes',
    line: 'this.#heardAt = init.clock.now;',
    from: 'this.#heardAt = init.clock.now;',
    to: ';',
    reason: 'An accepted end is made for a message, which it hears in the same turn, and nobody asks before.',
  },
];

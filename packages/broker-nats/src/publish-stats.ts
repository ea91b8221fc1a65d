/**
 * Counts of the messages that were to be published: `published` is always the sum of the others.
 *
 * `uncertain` ones were written before the connection broke, and the server did not say that it has them: they may have
 * been delivered or
 * not, and are never sent again.
 */
export interface PublishStats {
  /** Calls of `publish`. */
  readonly published: number;
  /** Those that rejected: nobody gets them. */
  readonly refused: number;
  /** Those that the server has: it answered a ping that came after them. */
  readonly confirmed: number;
  readonly uncertain: number;
  /** Those of which nothing is known yet: on their way, or waiting for the connection. */
  readonly open: number;
}

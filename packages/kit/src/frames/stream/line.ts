/**
 * The way to the peer of one socket, which a transport provides: its frames are written there, and whatever else it
 * sends.
 */
export interface Line {
  /** Begins the message of every error. */
  readonly what: string;
  /** The largest message that goes through, in bytes. */
  readonly maxPayload: number;
  /**
   * Publishes a message of the bus, copying it; `prefix`, where it is given, is how it begins. Throws `unavailable`
   * without a connection, `unsupported` where the peer cannot be answered.
   */
  publish(bytes: Uint8Array, prefix?: Uint8Array): void;
  /** Does the same so that the bus, where it can, tells that the peer is gone. */
  probe(bytes: Uint8Array): void;
  /** Publishes the last frame of a socket, after the next reconnect where there is no connection now. Never throws. */
  farewell(bytes: Uint8Array): void;
}

/** What a conversation in frames asks of its socket. */
export interface FrameCarrier {
  /** Begins the message of every error. */
  readonly what: string;
  /** The largest frame that goes through. */
  readonly maxPayload: number;
  /** Publishes a frame, copying it. Throws `unavailable` where there is no connection, `unsupported` where the peer cannot be answered. */
  publishFrame(bytes: Uint8Array): void;
  /** The same for one that finds out whether the peer is still there. */
  publishAsk(bytes: Uint8Array): void;
}

/**
 * Messages a sender may have on the way that the other side has not received yet. Part of the wire: both sides count on
 * it.
 */
export const windowMessages = 1024;
/** Bytes of frames likewise; the last message may go beyond. */
export const windowBytes: number = 1024 * 1024;

/**
 * A message above `max_payload` goes in chunks of at most so many bytes, so that others on the connection get their
 * turn.
 */
export const chunkBytes: number = 256 * 1024;
/** Chunks on the way that were not acknowledged yet. */
export const windowChunks = 4;

/** The most that the headers of a message may take beside a body of the largest size. */
export const maxHeaderBytes: number = 64 * 1024;

/**
 * How often a sender that waits for the window asks for it, as the update that told of it may have been lost; also the
 * least time between two questions in return.
 */
export const probeIntervalMs = 1000;

/**
 * The stream's end marker: the text in the place of an error that ends one side of a stream without one, in both
 * dialects.
 */
export const endOfStream = 'EOS';

/**
 * How a client ends its side of a stream.
 *
 * - `reading` it sends nothing more and goes on receiving
 * - `closed` it has left after what it sent; the handler may still receive that
 * - `canceled` it has left, and nobody wants what it sent any more
 */
export type StreamEnding = 'reading' | 'closed' | 'canceled';

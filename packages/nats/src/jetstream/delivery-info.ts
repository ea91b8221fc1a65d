/** The facts about a delivery that its reply subject contains. */
export interface DeliveryInfo {
  readonly consumer: string;
  /** Which delivery of the message this is, from 1. */
  readonly delivery: number;
  readonly streamSequence: number;
  readonly consumerSequence: number;
  /** When the message was stored, in milliseconds since 1970 on the clock of the server. */
  readonly storedAtMs: number;
  /** How many messages of the consumer come after this one, as of now. */
  readonly pending: number;
}

/**
 * Reads `$JS.ACK.<stream>.<consumer>.<delivery>.<stream sequence>.<consumer sequence>.<time>.<pending>`, which on newer
 * servers has a domain and an account before the stream. `undefined` where it is no such subject.
 */
export function deliveryInfoOf(reply: string | undefined): DeliveryInfo | undefined {
  const tokens = reply?.split('.') ?? [];
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK' || tokens.length < 9) return undefined;
  const first = tokens.length >= 11 ? 4 : 2;
  const number = (index: number) => Number(tokens[first + index]);
  const info = {
    consumer: tokens[first + 1] ?? '',
    delivery: number(2),
    streamSequence: number(3),
    consumerSequence: number(4),
    storedAtMs: number(5) / 1e6,
    pending: number(6),
  };
  const { delivery, streamSequence, consumerSequence, storedAtMs, pending } = info;
  const isWhole = Number.isSafeInteger(delivery + streamSequence + consumerSequence + pending);
  return isWhole && Number.isFinite(storedAtMs) ? info : undefined;
}

/** The facts about a delivery that its reply subject contains. */
export interface DeliveryInfo {
  readonly consumer: string;
  /** Which delivery of the message this is, from 1. */
  readonly delivery: number;
  readonly streamSequence: number;
  readonly consumerSequence: number;
  /**
   * When the message was stored, in milliseconds since 1970 on the clock of the server, as exactly as a number can
   * tell nanoseconds.
   */
  readonly storedAtMs: number;
  /** How many messages of the consumer come after this one, as of now. */
  readonly pending: number;
}

const prefix = '$JS.ACK.';
const dot = 0x2e;
const zero = 0x30;

// Where each token begins, and its number, of the subject that is read: one is read for every message.
const begins = new Int32Array(16);
const numbers = new Float64Array(begins.length);

/**
 * Reads `$JS.ACK.<stream>.<consumer>.<delivery>.<stream sequence>.<consumer sequence>.<time>.<pending>`, which on newer
 * servers has a domain and an account before the stream. `undefined` where it is no such subject.
 */
export function deliveryInfoOf(reply: string | undefined): DeliveryInfo | undefined {
  if (reply === undefined || !reply.startsWith(prefix)) return undefined;
  const count = readTokens(reply);
  if (count < 7) return undefined;
  const first = count >= 9 ? 2 : 0;
  const info = {
    consumer: reply.slice(begins[first + 1], (begins[first + 2] as number) - 1),
    delivery: numbers[first + 2] as number,
    streamSequence: numbers[first + 3] as number,
    consumerSequence: numbers[first + 4] as number,
    storedAtMs: (numbers[first + 5] as number) / 1e6,
    pending: numbers[first + 6] as number,
  };
  const { delivery, streamSequence, consumerSequence, storedAtMs, pending } = info;
  const isWhole = Number.isSafeInteger(delivery + streamSequence + consumerSequence + pending);
  return isWhole && Number.isFinite(storedAtMs) ? info : undefined;
}

/** Returns how many tokens come after the prefix. What is not all digits has the number NaN. */
function readTokens(reply: string): number {
  let count = 0;
  let number = 0;
  begins[0] = prefix.length;
  for (let index = prefix.length; index <= reply.length; index++) {
    const code = index === reply.length ? dot : reply.charCodeAt(index);
    if (code !== dot) {
      const digit = code - zero;
      number = digit >= 0 && digit <= 9 ? number * 10 + digit : Number.NaN;
      continue;
    }
    // An empty token is no number either.
    numbers[count] = begins[count] === index ? Number.NaN : number;
    number = 0;
    count++;
    if (count === begins.length) break;
    begins[count] = index + 1;
  }
  return count;
}

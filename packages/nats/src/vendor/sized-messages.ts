import type { VendorConnection } from '../link/vendor-connection.ts';
import { mostPayload } from './server-info.ts';
import { fillYoungHeap } from './young-garbage.ts';

/** The client's growing buffer, as far as its parser uses it. */
interface PartBuffer {
  readonly length: number;
  write(bytes: Uint8Array): unknown;
  writeByte(byte: number): unknown;
  bytes(options: { readonly copy: boolean }): Uint8Array;
}

interface Parser {
  /** The message that has come in part. */
  msgBuf?: PartBuffer | undefined;
  /** The line that has come in part. */
  argBuf?: PartBuffer | undefined;
  /** What its line said of it. */
  readonly ma?: { readonly size?: number };
  parse(bytes: Uint8Array): void;
}

interface Internals {
  readonly protocol?: { parser?: Parser };
}

/** Smaller ones rarely come in more than two reads. */
const largeBytes = 8 * 1024;
/** What is set aside for a message before its bytes have come: the server tells its size, and may be wrong. */
const mostBytes = 8 * 1024 * 1024;
/** The INFO of a cluster of thousands of servers is shorter. */
const longestLine = 1024 * 1024;

// A lent connection may be wrapped again and again.
const known = new WeakSet<object>();

/** Called with what the client could not read. Its own way is to print it, and to read no more. */
type OnUnreadable = (error: unknown) => void;

/**
 * Has the client collect a large message, which comes in many reads, in memory of its size: its own buffer begins small
 * and is copied each time it grows. So it does lines, which it collects byte by byte.
 */
export function sizeMessages(vendor: VendorConnection, onUnreadable?: OnUnreadable): void {
  const { protocol } = vendor as Internals;
  if (typeof protocol?.parser?.parse !== 'function' || known.has(protocol)) return;
  known.add(protocol);
  let parser = sized(protocol.parser, onUnreadable);
  // The client takes a new one for each connection.
  Object.defineProperty(protocol, 'parser', {
    configurable: true,
    enumerable: true,
    get: () => parser,
    set: (next: Parser) => {
      parser = sized(next, onUnreadable);
    },
  });
}

function sized(parser: Parser, onUnreadable: OnUnreadable | undefined): Parser {
  const { parse } = parser;
  let isLost = false;
  parser.parse = (bytes) => {
    if (isLost) return;
    try {
      parse.call(parser, bytes);
      if (onUnreadable !== undefined) checkSizes(parser);
    } catch (error) {
      if (onUnreadable === undefined) throw error;
      isLost = true;
      onUnreadable(error);
      return;
    }
    const { msgBuf, argBuf, ma } = parser;
    // Its own makes three objects for each byte that is added, so a long line would block the process for seconds.
    if (argBuf !== undefined && !(argBuf instanceof OwnBuffer)) {
      const first = argBuf.bytes({ copy: false });
      parser.argBuf = new OwnBuffer(2 * first.length, first);
    }
    const size = ma?.size ?? 0;
    if (size < largeBytes) return;
    fillYoungHeap(bytes.length);
    if (msgBuf === undefined || msgBuf instanceof OwnBuffer) return;
    if (size <= mostBytes) parser.msgBuf = new OwnBuffer(size, msgBuf.bytes({ copy: false }));
  };
  return parser;
}

/** What a server says would be kept until it ends. */
function checkSizes({ argBuf, ma }: Parser): void {
  if ((argBuf?.length ?? 0) > longestLine) throw new Error('a line does not end');
  if ((ma?.size ?? 0) > mostPayload)
    throw new Error('a message is larger than the 64 MiB that NATS documents as the most');
}

/** Memory for a message, of its size, or for a line, which has none: that grows. */
class OwnBuffer implements PartBuffer {
  #bytes: Uint8Array;
  length = 0;

  constructor(size: number, first: Uint8Array) {
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(size, first.length));
    this.write(first);
  }

  write(bytes: Uint8Array): void {
    // So it gives what belongs to a complaint: byte by byte.
    if (bytes.length === 1) {
      this.writeByte(bytes[0] as number);
      return;
    }
    this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  writeByte(byte: number): void {
    if (this.length === this.#bytes.length) this.#makeRoom(1);
    this.#bytes[this.length++] = byte;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  #makeRoom(size: number): void {
    if (this.length + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.length + size));
    larger.set(this.bytes());
    this.#bytes = larger;
  }
}

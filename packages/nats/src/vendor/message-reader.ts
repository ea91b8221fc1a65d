import type { VendorConnection } from '../link/vendor-connection.ts';
import { mostPayload } from './server-info.ts';
import { type PartBuffer, SizedBuffer } from './sized-buffer.ts';
import { type MessageLine, readWhole } from './whole-message.ts';
import { fillYoungHeap } from './young-garbage.ts';

/** What the client's parser has read: a message, with what it knows of its line, or another operation. */
interface Operation {
  readonly kind: unknown;
  readonly msg?: Pick<MessageLine, 'sid' | 'hdr' | 'size'>;
  readonly data?: Uint8Array;
}

interface Dispatcher {
  push(operation: Operation): void;
}

interface Parser {
  readonly dispatcher?: Dispatcher;
  /** Where in an operation it is. */
  readonly state?: unknown;
  /** The message that has come in part. */
  msgBuf?: PartBuffer | undefined;
  /** The line that has come in part. */
  argBuf?: PartBuffer | undefined;
  /** What its line said of it. */
  ma?: { readonly size?: number };
  parse(bytes: Uint8Array): void;
}

/** A transport of ours, which can hand over bytes that it does not keep. */
interface Transport {
  takePayload?(bytes: Uint8Array): number;
}

interface Protocol {
  parser?: Parser;
  readonly transport?: Transport;
}

interface Internals {
  readonly protocol?: Protocol;
}

/** Smaller ones rarely come in more than two reads. */
const largeBytes = 8 * 1024;
/** What is set aside for a message before its bytes have come: the server tells its size, and may be wrong. */
const mostBytes = 8 * 1024 * 1024;
/** The INFO of a cluster of thousands of servers is shorter. */
const longestLine = 1024 * 1024;
const newline = 10;
const space = 32;
const tab = 9;
const lineEndBytes = 2;

// A lent connection may be wrapped again and again.
const known = new WeakSet<object>();

/** Called with what the client could not read. Its own way is to print it, and to read no more. */
type OnUnreadable = (error: unknown) => void;

/**
 * Reads messages that have come whole in the place of the client's parser, which takes each byte through its states and
 * makes eight objects of a line; and has it collect a large message, which comes in many reads, in memory of its size:
 * its own buffer begins small and is copied each time it grows. So it does lines, which it collects byte by byte.
 */
export function readMessages(vendor: VendorConnection, onUnreadable?: OnUnreadable): void {
  const { protocol } = vendor as Internals;
  if (typeof protocol?.parser?.parse !== 'function' || known.has(protocol)) return;
  known.add(protocol);
  let parser = withReader(protocol.parser, protocol, onUnreadable);
  // The client takes a new one for each connection.
  Object.defineProperty(protocol, 'parser', {
    configurable: true,
    enumerable: true,
    get: () => parser,
    set: (next: Parser) => {
      parser = withReader(next, protocol, onUnreadable);
    },
  });
}

function withReader(parser: Parser, protocol: Protocol, onUnreadable: OnUnreadable | undefined): Parser {
  const { parse } = parser;
  const form = formOf(parser);
  let isLost = false;
  let transport: Transport | undefined;
  const read = (bytes: Uint8Array) => {
    parse.call(parser, bytes);
    if (onUnreadable !== undefined) checkSizes(parser);
    collectInOwnMemory(parser);
  };
  parser.parse = (bytes) => {
    if (isLost) return;
    // The client makes the parser first.
    if (transport !== protocol.transport) {
      transport = protocol.transport;
      if (transport?.takePayload !== undefined) transport.takePayload = (more) => takePayload(parser, more);
    }
    try {
      if (form === undefined) read(bytes);
      else readAll(parser, form, bytes, read);
    } catch (error) {
      if (onUnreadable === undefined) throw error;
      isLost = true;
      onUnreadable(error);
      return;
    }
    if ((parser.ma?.size ?? 0) >= largeBytes) fillYoungHeap(bytes.length);
  };
  return parser;
}

/** Reads whole messages. The rest is the client's: at a time no more than it takes to end an operation. */
function readAll(parser: Parser, form: Form, bytes: Uint8Array, read: (bytes: Uint8Array) => void): void {
  const { kind, start, dispatcher } = form;
  let at = 0;
  while (at < bytes.length) {
    const msg = parser.state === start ? readWhole(bytes, at) : undefined;
    if (msg !== undefined) {
      const end = msg.start + msg.size;
      parser.ma = msg;
      dispatcher.push({ kind, msg, data: bytes.subarray(msg.start, end) });
      at = end + lineEndBytes;
      continue;
    }
    const end = endOfPart(parser, bytes, at);
    read(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    at = end;
  }
}

/** Puts bytes of the message that has come in part where the others are. */
function takePayload({ msgBuf, ma }: Parser, bytes: Uint8Array): number {
  if (msgBuf?.isSized !== true) return 0;
  const size = ma?.size ?? 0;
  const taken = Math.min(size - msgBuf.length, bytes.length);
  if (taken > 0) msgBuf.write(bytes.subarray(0, taken));
  if (size >= largeBytes) fillYoungHeap(taken);
  return Math.max(taken, 0);
}

/** The end of the payload that its parser is in, or of the line, or of more. */
function endOfPart({ msgBuf, ma }: Parser, bytes: Uint8Array, at: number): number {
  const missing = msgBuf === undefined ? 0 : (ma?.size ?? 0) - msgBuf.length;
  if (missing > 0) return Math.min(at + missing, bytes.length);
  // After blanks it takes a line end for the first byte of a word. What came before this read may have been blanks.
  let end = bytes.indexOf(newline, at + 1);
  while (bytes[end - 1] === space || bytes[end - 1] === tab) end = bytes.indexOf(newline, end + 1);
  return end === -1 ? bytes.length : end + 1;
}

function collectInOwnMemory(parser: Parser): void {
  const { msgBuf, argBuf, ma } = parser;
  // Its own makes three objects for each byte that is added, so a long line would block the process for seconds.
  if (argBuf !== undefined && argBuf.isSized !== true) {
    const first = argBuf.bytes({ copy: false });
    parser.argBuf = new SizedBuffer(2 * first.length, first);
  }
  const size = ma?.size ?? 0;
  if (msgBuf === undefined || msgBuf.isSized === true || size > mostBytes) return;
  parser.msgBuf = new SizedBuffer(size, msgBuf.bytes({ copy: false }));
}

/** What a server says would be kept until it ends. */
function checkSizes({ argBuf, ma }: Parser): void {
  if ((argBuf?.length ?? 0) > longestLine) throw new Error('a line does not end');
  if ((ma?.size ?? 0) > mostPayload)
    throw new Error('a message is larger than the 64 MiB that NATS documents as the most');
}

/** How a parser is built: what it tells of a message, and to whom. */
interface Form {
  readonly dispatcher: Dispatcher;
  /** Its state between operations. */
  readonly start: unknown;
  readonly kind: unknown;
}

/** Has another parser of the same class read a message; `undefined` where it is not built as known. */
function formOf(parser: Parser): Form | undefined {
  const { dispatcher } = parser;
  const told: Operation[] = [];
  try {
    const probe: Parser = Reflect.construct(parser.constructor, [
      { push: (operation: Operation) => told.push(operation) },
    ]);
    const { state: start } = probe;
    probe.parse(Buffer.from('HMSG a 1 b 1 2\r\nhi\r\n'));
    const [operation] = told;
    const { msg, data } = operation ?? {};
    if (msg?.sid !== 1 || msg.hdr !== 1 || msg.size !== 2 || data?.length !== 2) return undefined;
    const isKnown = start !== undefined && start === probe.state && told.length === 1 && dispatcher !== undefined;
    return isKnown ? { dispatcher, start, kind: operation?.kind } : undefined;
  } catch {
    return undefined;
  }
}

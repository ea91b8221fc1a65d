import type { Headers, Message } from '@ts-micro/core';
import { detachedMessage } from '@ts-micro/kit';
import { ByteReader, malformed } from './byte-reader.ts';
import { readHeaderBlock } from './header-block.ts';
import { maxHeaderBytes } from './limits.ts';
import { sizeOfVaruint, writeVaruint } from './varuint.ts';

/** The first byte of every frame: never that of JSON, nor of any UTF-8. */
export const frameMarker = 0xf5;

/** The second byte. */
export const frameKind = { message: 1, close: 2, chunk: 3, update: 4, probe: 5 } as const;

/** Whether a payload is a frame, and not something else that comes to the same address. */
export function isFrame(payload: Uint8Array): boolean {
  return payload[0] === frameMarker;
}

/** Whether it is a frame that tells the sender what was received, and so answers nothing by itself. */
export function isWindowUpdate(payload: Uint8Array): boolean {
  return payload[1] === frameKind.update && payload[0] === frameMarker;
}

/** Before a chunk's bytes: marker, kind, and three numbers at their longest. */
export const chunkHeadBytes: number = 2 + 3 * 8;

const noBytes = new Uint8Array(0);
const reader = new ByteReader(noBytes);

/** A message that came in a frame. */
export class FrameMessage implements Message {
  readonly headers: Headers;
  readonly body: Uint8Array;
  // Private, so that a message is seen to have no more than it should.
  readonly #frameBytes: number;

  constructor(headers: Headers, body: Uint8Array, frameBytes: number) {
    this.headers = headers;
    this.body = body;
    this.#frameBytes = frameBytes;
  }

  /** Its size in the window of bytes. */
  get frameBytes(): number {
    return this.#frameBytes;
  }

  /** As {@link detachedMessage}. */
  detached(): FrameMessage {
    const { headers, body } = detachedMessage(this);
    return body === this.body ? this : new FrameMessage(headers, body, this.#frameBytes);
  }
}

/**
 * The content of a frame; `sequence`, `total` and `offset` for every kind, 0 where it has none. One object, good until
 * the next is read.
 */
export interface FrameHead {
  kind: number;
  /**
   * message, chunk: of the message. close, probe: of the next one, or the one that is incomplete; update: the same of
   * the other direction.
   */
  sequence: number;
  /** chunk: bytes of the whole frame, 0 where it does not come. */
  total: number;
  /**
   * chunk: where its bytes begin in the whole. probe, update: how much of an incomplete message was sent, or has come.
   */
  offset: number;
  /** close, update: messages received. */
  messages: number;
  /** update: bytes received. */
  bytes: number;
  /** The index at which the rest of the frame begins. */
  rest: number;
}

const head: FrameHead = { kind: 0, sequence: 0, total: 0, offset: 0, messages: 0, bytes: 0, rest: 0 };

/** Reads what all frames begin with. Throws `malformed`. */
export function readFrameHead(bytes: Uint8Array): FrameHead {
  reader.start(bytes, 2);
  head.kind = bytes[1] ?? 0;
  head.sequence = reader.varuint();
  head.total = 0;
  head.offset = 0;
  switch (head.kind) {
    case frameKind.message:
      break;
    case frameKind.close:
      head.messages = reader.varuint();
      break;
    case frameKind.chunk:
      head.total = reader.varuint();
      head.offset = reader.varuint();
      break;
    case frameKind.update:
      head.offset = reader.varuint();
      head.messages = reader.varuint();
      head.bytes = reader.varuint();
      break;
    case frameKind.probe:
      head.offset = reader.varuint();
      break;
    default:
      throw malformed(`kind ${head.kind} is unknown`);
  }
  head.rest = reader.position;
  return head;
}

/**
 * Whether a frame on a socket that is not known opens one: the first message, or the first chunk of it. False where it
 * belongs to one that is no more; `undefined` where nobody waits for what comes of it. Throws `malformed`.
 */
export function opensSocket(bytes: Uint8Array): boolean | undefined {
  const { kind, sequence, total, offset } = readFrameHead(bytes);
  if (kind === frameKind.close || kind === frameKind.update) return undefined;
  if (kind === frameKind.chunk && total === 0) return undefined;
  return kind !== frameKind.probe && sequence === 0 && (kind === frameKind.message || offset === 0);
}

/** The message of a frame whose head was read up to `rest`. Throws `malformed`. */
export function readFrameMessage(bytes: Uint8Array, rest: number): FrameMessage {
  reader.start(bytes, rest);
  const blockBytes = reader.length();
  if (blockBytes > maxHeaderBytes)
    throw malformed(`its headers have ${blockBytes} bytes, ${maxHeaderBytes} are the limit`);
  const blockEnd = blockBytes + reader.position;
  const headers = readHeaderBlock(bytes, reader.position, blockEnd);
  const bodyLength = bytes.length - blockEnd;
  const body = bodyLength === 0 ? noBytes : new Uint8Array(bytes.buffer, bytes.byteOffset + blockEnd, bodyLength);
  // What is read may be large, and nothing else may follow for long.
  reader.start(noBytes, 0);
  return new FrameMessage(headers, body, bytes.length);
}

/** The length of a message frame before its body. */
export function sizeOfMessageHead(sequence: number, headerBlock: Uint8Array): number {
  return 2 + sizeOfVaruint(sequence) + sizeOfVaruint(headerBlock.length) + headerBlock.length;
}

/** Writes a message frame up to its body; returns where the body goes. */
export function writeMessageHead(bytes: Uint8Array, sequence: number, headerBlock: Uint8Array): number {
  bytes[0] = frameMarker;
  bytes[1] = frameKind.message;
  const blockLength = headerBlock.length;
  let end = writeVaruint(bytes, writeVaruint(bytes, 2, sequence), blockLength);
  // A call costs more than it saves for a few bytes.
  if (blockLength > 32) bytes.set(headerBlock, end);
  else for (let index = 0; index < blockLength; index++) bytes[end + index] = headerBlock[index] as number;
  end += blockLength;
  return end;
}

/** Any other frame: its kind and its numbers, in the order of {@link readFrameHead}. */
export function numbersFrame(kind: number, ...numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(2 + numbers.length * 8);
  return bytes.subarray(0, writeNumbers(bytes, kind, ...numbers));
}

/** Writes marker, kind and numbers; returns the offset after them. */
export function writeNumbers(bytes: Uint8Array, kind: number, ...numbers: readonly number[]): number {
  bytes[0] = frameMarker;
  bytes[1] = kind;
  let end = 2;
  for (const number of numbers) end = writeVaruint(bytes, end, number);
  return end;
}

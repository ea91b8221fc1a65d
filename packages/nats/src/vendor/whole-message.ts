/** The line of a message as the client's parser hands it on, but its subjects are cut out when they are asked for. */
export class MessageLine {
  readonly bytes: Uint8Array;
  subjectStart = 0;
  subjectEnd = 0;
  replyStart = 0;
  /** The same as `replyStart` where there is no reply subject. */
  replyEnd = 0;
  sid = -1;
  /** Bytes of the header block, -1 without one. */
  hdr = -1;
  /** Bytes of the header block and the payload. */
  size = -1;
  /** Where those begin. */
  start = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get subject(): Uint8Array {
    return this.bytes.subarray(this.subjectStart, this.subjectEnd);
  }

  get reply(): Uint8Array | undefined {
    return this.replyStart === this.replyEnd ? undefined : this.bytes.subarray(this.replyStart, this.replyEnd);
  }
}

const space = 32;
const carriageReturn = 13;
const newline = 10;
const letterG = 71;
const letterH = 72;
const letterM = 77;
const letterS = 83;
const digit0 = 48;
/** `MSG a 1 0` and two line ends. */
const shortest = 13;
/** More would not be exact as a number. */
const mostDigits = 15;

/**
 * Reads the message that begins at `start`, where all of it is there and as nats-server writes it: in capitals, with
 * one space between words. `undefined` for anything else, which is left to the client to read or to refuse.
 */
export function readWhole(bytes: Uint8Array, start: number): MessageLine | undefined {
  if (bytes.length - start < shortest) return undefined;
  const hasHeaders = bytes[start] === letterH;
  const name = hasHeaders ? start + 1 : start;
  if (bytes[name] !== letterM || bytes[name + 1] !== letterS || bytes[name + 2] !== letterG) return undefined;
  const subjectEnd = endOfWord(bytes, name + 4);
  const sidEnd = endOfWord(bytes, subjectEnd + 1);
  if (bytes[name + 3] !== space || bytes[subjectEnd] !== space || bytes[sidEnd] !== space) return undefined;

  // [reply] [bytes of headers] bytes in all: how many words there are tells what they are.
  const firstEnd = endOfWord(bytes, sidEnd + 1);
  let words = 1;
  let previous = sidEnd + 1;
  let last = previous;
  let end = firstEnd;
  for (; bytes[end] === space && words <= 3; words++) {
    previous = last;
    last = end + 1;
    end = endOfWord(bytes, last);
  }
  const hasReply = words === (hasHeaders ? 3 : 2);
  if (!hasReply && words !== (hasHeaders ? 2 : 1)) return undefined;

  const line = new MessageLine(bytes);
  line.subjectStart = name + 4;
  line.subjectEnd = subjectEnd;
  line.replyStart = sidEnd + 1;
  line.replyEnd = hasReply ? firstEnd : line.replyStart;
  line.sid = numberIn(bytes, subjectEnd + 1, sidEnd);
  if (hasHeaders) line.hdr = numberIn(bytes, previous, last - 1);
  line.size = numberIn(bytes, last, end);
  line.start = end + 2;
  const isSound =
    subjectEnd > line.subjectStart &&
    firstEnd > line.replyStart &&
    line.sid >= 0 &&
    line.size >= Math.max(line.hdr, 0) &&
    (line.hdr >= 0 || !hasHeaders) &&
    isLineEnd(bytes, end) &&
    isLineEnd(bytes, line.start + line.size);
  return isSound ? line : undefined;
}

function endOfWord(bytes: Uint8Array, start: number): number {
  let end = start;
  while (end < bytes.length && (bytes[end] as number) > space) end++;
  return end;
}

/** -1 where it is no number. */
function numberIn(bytes: Uint8Array, start: number, end: number): number {
  if (end <= start || end - start > mostDigits) return -1;
  let number = 0;
  for (let index = start; index < end; index++) {
    const digit = (bytes[index] as number) - digit0;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}

function isLineEnd(bytes: Uint8Array, index: number): boolean {
  return bytes[index] === carriageReturn && bytes[index + 1] === newline;
}

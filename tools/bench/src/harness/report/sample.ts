/** What every workload in JSON sends and gets back: 128 bytes as JSON text. */
export interface Sample {
  readonly number: number;
  readonly text: string;
}

const sampleBytes = 128;
const firstNumber = 1_000_000;
const numbers = 9_000_000;
const text = 'x'.repeat(sampleBytes - JSON.stringify({ number: firstNumber, text: '' }).length);

/** The sample with a serial number of its own; always of the same size. */
export function sample(serial: number): Sample {
  return { number: firstNumber + (serial % numbers), text };
}

/** What every server answers: computed from the parsed request, so that neither side can skip its part. */
export function answer(request: Sample): Sample {
  return { number: next(request.number), text: request.text };
}

/** Throws unless `reply` is the answer to `request`. */
export function checkAnswer(request: Sample, reply: Sample): void {
  if (reply.number === next(request.number) && reply.text.length === text.length) return;
  throw new Error(`wrong answer to ${request.number}: ${JSON.stringify(reply)}`);
}

/** Throws unless `received` is the sample of that serial number: none lost, doubled or out of order. */
export function checkSample(serial: number, received: Sample): void {
  if (received.number === sample(serial).number && received.text.length === text.length) return;
  throw new Error(`message ${serial} is wrong: ${JSON.stringify(received)}`);
}

/** Bytes to send and get back, with a serial number at the front. */
export function byteSample(serial: number, size: number): Uint8Array {
  const bytes = Buffer.alloc(size, 0x78);
  bytes.writeUInt32BE(serial);
  return bytes;
}

/** Throws unless `reply` is what was sent. */
export function checkBytes(serial: number, size: number, reply: Uint8Array): void {
  const view = new DataView(reply.buffer, reply.byteOffset, reply.byteLength);
  if (reply.byteLength === size && view.getUint32(0) === serial && reply[size - 1] === 0x78) return;
  throw new Error(`wrong answer to the bytes of ${serial}: ${reply.byteLength} bytes`);
}

function next(number: number): number {
  return firstNumber + ((number + 1 - firstNumber) % numbers);
}

const { deno, bun } = process.versions;

/** Whether sockets read into memory that they are given. Deno takes the option and then hands over nothing. */
export const canReadIntoMemory: boolean = deno === undefined && bun === undefined;

/**
 * What every socket reads into: a read is copied out of it before the next one. A socket's own way is to allocate
 * 64 KiB for each read, and to give back what was not needed.
 */
export const readBuffer: Buffer = Buffer.allocUnsafeSlow(64 * 1024);

/** Returns a copy of these bytes of the {@link readBuffer}. Short ones share memory, as other short buffers of Node. */
export function copyOfRead(start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  readBuffer.copy(copy, 0, start, end);
  return copy;
}

import { closeSync, openSync, readSync } from 'node:fs';

const mostBytes = 1024 * 1024;

/**
 * Returns the text of a file without the line end it may close with. Throws what the system says, or that it is over 1
 * MiB.
 */
export function fileText(path: string): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(mostBytes + 1);
    let length = 0;
    for (let count = -1; count !== 0 && length < bytes.length; length += count) {
      count = readSync(file, bytes, length, bytes.length - length, null);
    }
    if (length > mostBytes) throw new Error(`it has more than ${mostBytes} bytes`);
    return bytes.toString('utf8', 0, length).replace(/\r?\n$/, '');
  } finally {
    closeSync(file);
  }
}

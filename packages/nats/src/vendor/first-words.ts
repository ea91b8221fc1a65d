import type { Socket } from 'node:net';
import type { ServerInfo } from 'nats';
import { readServerInfo } from './server-info.ts';

/** A cluster of thousands of servers tells less. */
const mostBytes = 1024 * 1024;
const noWord =
  'the server ended the connection before its first word, as one does that wants TLS first (option tls.handshakeFirst)';
const noBytes = Buffer.alloc(0);

/**
 * Reads the INFO with which a server begins; what was read goes into `read`. Rejects where it says anything else, or
 * leaves without a word. The client's own reader starts anew at each piece, and takes any
 * JSON: it is left with what it can work with.
 */
export function readInfo(socket: Socket, read: Uint8Array[]): Promise<ServerInfo> {
  return new Promise((resolve, reject) => {
    let size = 0;
    let cause: Error | undefined;
    const onData = (bytes: Uint8Array) => {
      read.push(bytes);
      size += bytes.length;
      const isWhole = bytes.includes(10);
      if (isWhole || size >= mostBytes || !beginsInfo(read)) end(isWhole);
    };
    const onError = (error: Error) => {
      cause = error;
    };
    const onClose = () => {
      letGo();
      reject(cause ?? new Error(noWord));
    };
    const letGo = () => {
      socket.off('data', onData).off('error', onError).off('close', onClose);
      // Whoever takes the socket next may first have to read a file.
      socket.on('error', () => {});
    };
    const end = (isWhole: boolean) => {
      letGo();
      const bytes = Buffer.concat(read);
      const line = bytes.indexOf(10);
      const info = isWhole ? readServerInfo(bytes.toString('utf8', 5, line)) : undefined;
      if (info !== undefined) {
        // The client reads the line once more.
        read.splice(0, read.length, Buffer.from(`INFO ${JSON.stringify(info)}\r\n`), bytes.subarray(line + 1));
        resolve(info);
      } else reject(new Error('what it says first is no INFO of a NATS server'));
    };
    socket.on('data', onData).on('error', onError).on('close', onClose);
  });
}

function beginsInfo([first = noBytes, second = noBytes, ...more]: readonly Uint8Array[]): boolean {
  const start = first.length >= 5 ? first : Buffer.concat([first, second, ...more]);
  return 'INFO '.startsWith(Buffer.from(start.subarray(0, 5)).toString('latin1').toUpperCase().replace('\t', ' '));
}

import type { Socket } from 'node:net';
import type { ServerInfo } from 'nats';

/** A cluster of thousands of servers tells less. */
const mostBytes = 1024 * 1024;
const noWord =
  'the server ended the connection before its first word, as one does that wants TLS first (option tls.handshakeFirst)';
const noBytes = Buffer.alloc(0);

/**
 * Reads the INFO with which a server begins; what was read goes into `read`. Rejects where it says anything else, or
 * leaves without a word. The client's own reader starts anew at each piece, and takes any JSON.
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
      const info = isWhole ? infoOf(Buffer.concat(read).toString('utf8')) : undefined;
      if (info !== undefined) resolve(info);
      else reject(new Error('what it says first is no INFO of a NATS server'));
    };
    socket.on('data', onData).on('error', onError).on('close', onClose);
  });
}

function beginsInfo([first = noBytes, second = noBytes, ...more]: readonly Uint8Array[]): boolean {
  const start = first.length >= 5 ? first : Buffer.concat([first, second, ...more]);
  return 'INFO '.startsWith(Buffer.from(start.subarray(0, 5)).toString('latin1').toUpperCase().replace('\t', ' '));
}

/** Returns what the line says, where the client can work with it. */
function infoOf(text: string): ServerInfo | undefined {
  try {
    const info = JSON.parse(/^INFO\s+([^\r\n]*)/i.exec(text)?.[1] ?? '');
    const { version, max_payload: maxPayload = 0, connect_urls: urls = [] } = info;
    const isKnown = /^\D*\d+\.\d+\.\d+/.test(version) && Number.isSafeInteger(maxPayload) && Array.isArray(urls);
    return isKnown && urls.every((url: unknown) => typeof url === 'string') ? info : undefined;
  } catch {
    return undefined;
  }
}

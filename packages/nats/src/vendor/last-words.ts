import { createConnection } from 'node:net';

const waitMs = 300;
const mostBytes = 65_536;

/** Whether a dial ended because the server had left already, which may have overtaken what it said. */
export function isReset(error: unknown): boolean {
  const { code, message, chainedError } = Object(error) as Readonly<Record<string, unknown>>;
  if (chainedError !== undefined && isReset(chainedError)) return true;
  return code === 'EPIPE' || code === 'ECONNRESET' || /\b(EPIPE|ECONNRESET)\b/.test(String(message));
}

/**
 * Asks a server once more, in silence, why it does not take anybody: a client that writes when the server has left
 * already gets an error of the socket instead of the server's sentence. `undefined` where it says nothing soon.
 */
export function lastWords(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const socket = createConnection({ host, port });
    const timer = setTimeout(() => end(), waitMs);
    const end = (sentence?: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(sentence);
    };
    socket.on('error', () => end());
    socket.on('close', () => end());
    socket.on('data', (chunk: Uint8Array) => {
      text += Buffer.from(chunk).toString('latin1');
      const sentence = /\r\n-ERR '([^\r\n]*)'/.exec(text)?.[1];
      if (sentence !== undefined || text.length > mostBytes) end(sentence);
    });
  });
}

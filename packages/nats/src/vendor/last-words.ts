import { createConnection } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { complaintIn, type DialPlan } from './dial-transport.ts';

type Upgrade = DialPlan['upgrade'];

const waitMs = 300;
const mostBytes = 65_536;
const tlsInfo = /^INFO [^\r\n]*"tls_(required|available)":\s*true/;

/** Whether a dial ended because the server had left already, which may have overtaken what it said. */
export function isReset(error: unknown): boolean {
  const { code, message, chainedError } = Object(error) as Readonly<Record<string, unknown>>;
  if (chainedError !== undefined && isReset(chainedError)) return true;
  return code === 'EPIPE' || code === 'ECONNRESET' || /\b(EPIPE|ECONNRESET)\b/.test(String(message));
}

/**
 * Asks a server once more, in silence, why it does not take anybody: a client that writes when the server has left
 * already gets an error of the socket instead of the server's sentence, or of the alert with which it ended TLS.
 * `undefined` where it says nothing soon.
 */
export function lastWords(host: string, port: number, { tls, tlsName }: Upgrade): Promise<string | Error | undefined> {
  return new Promise((resolve) => {
    const plain = createConnection({ host, port });
    let secure: TLSSocket | undefined;
    let text = '';
    const timer = setTimeout(() => end(), waitMs);
    const end = (words?: string | Error) => {
      clearTimeout(timer);
      secure?.destroy();
      plain.destroy();
      resolve(words);
    };
    const onData = (chunk: Uint8Array) => {
      text += Buffer.from(chunk).toString('latin1');
      const sentence = complaintIn(text);
      if (sentence !== undefined || text.length > mostBytes) end(sentence);
      else if (secure === undefined && text.includes('\n') && tlsInfo.test(text)) startTls();
    };
    const startTls = () => {
      text = '';
      plain.removeListener('data', onData);
      secure = connectTls({ ...tls, socket: plain, servername: tlsName });
      secure.on('error', (error: NodeJS.ErrnoException) => end(error.code?.includes('ALERT') ? error : undefined));
      secure.on('close', () => end());
      secure.on('data', onData);
    };
    plain.on('error', () => end());
    plain.on('close', () => end());
    plain.on('data', onData);
    if (tls?.handshakeFirst === true) startTls();
  });
}

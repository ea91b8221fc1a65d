import { once } from 'node:events';
import { connect } from 'node:net';

const boundMs = 10_000;

/** Publishes bytes as they are on a subject of the server at this port; resolves once the server has taken them. */
export async function publishRaw(port: number, subject: string, bytes: Uint8Array): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    const signal = AbortSignal.timeout(boundMs);
    socket.write('CONNECT {"verbose":false}\r\n');
    socket.write(`PUB ${subject} ${bytes.length}\r\n`);
    socket.write(bytes);
    socket.write('\r\nPING\r\n');
    let answer = '';
    while (!answer.includes('PONG')) {
      const [chunk] = await once(socket, 'data', { signal });
      answer += String(chunk);
      if (answer.includes('-ERR')) throw new Error(`nats-server: ${answer}`);
    }
  } finally {
    socket.destroy();
  }
}

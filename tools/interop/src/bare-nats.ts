import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A message exactly as it came: `headers` is the raw block, absent for a message without one. */
export interface BareMessage {
  readonly subject: string;
  readonly reply: string | undefined;
  readonly headers: string | undefined;
  readonly payload: Buffer;
}

type Listener = (message: BareMessage) => void;

/** The NATS protocol over a socket and nothing else: a witness that shares no code with either side under test. */
export class BareNats implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #listeners = new Map<string, Listener>();
  readonly #pongs: (() => void)[] = [];
  #unread: Buffer = Buffer.alloc(0);
  #lastSid = 0;

  /** Connects to `host:port`. */
  static async connect(address: string): Promise<BareNats> {
    const [host, port] = address.split(':');
    const socket = connect({ host: host ?? '127.0.0.1', port: Number(port), noDelay: true });
    await once(socket, 'connect');
    const bare = new BareNats(socket);
    await bare.flush();
    return bare;
  }

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => undefined);
    socket.once('close', () => {
      for (const resolve of this.#pongs) resolve();
    });
    socket.write('CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\n');
  }

  /** Starts a subscription and returns what ends it. */
  subscribe(subject: string, listener: Listener, queue = ''): () => void {
    const sid = String(++this.#lastSid);
    this.#listeners.set(sid, listener);
    this.#socket.write(`SUB ${subject} ${queue} ${sid}\r\n`);
    return () => {
      this.#listeners.delete(sid);
      this.#socket.write(`UNSUB ${sid}\r\n`);
    };
  }

  publish(subject: string, payload: Uint8Array | string, reply = ''): void {
    const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
    this.#socket.write(`PUB ${subject} ${reply} ${body.length}\r\n`);
    this.#socket.write(body);
    this.#socket.write('\r\n');
  }

  /** Publishes with a raw NATS header block, e.g. `NATS/1.0\r\nName: value\r\n\r\n`. */
  publishWithHeaders(subject: string, headers: string, payload: Uint8Array | string, reply = ''): void {
    const head = Buffer.from(headers);
    const body = Buffer.from(payload);
    this.#socket.write(`HPUB ${subject} ${reply} ${head.length} ${head.length + body.length}\r\n`);
    this.#socket.write(Buffer.concat([head, body]));
    this.#socket.write('\r\n');
  }

  /** The first message that comes back within `waitMs`, or undefined. */
  async request(subject: string, payload: Uint8Array | string, waitMs = 1_000): Promise<BareMessage | undefined> {
    const inbox = freshInbox();
    const { promise, resolve } = deferred<BareMessage | undefined>();
    const timer = setTimeout(() => resolve(undefined), waitMs);
    const stop = this.subscribe(inbox, resolve);
    try {
      this.publish(subject, payload, inbox);
      return await promise;
    } finally {
      clearTimeout(timer);
      stop();
    }
  }

  /** Waits until the server has seen all that was written. */
  async flush(): Promise<void> {
    const { promise, resolve } = deferred<void>();
    this.#pongs.push(resolve);
    this.#socket.write('PING\r\n');
    await promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    for (;;) {
      const end = this.#unread.indexOf('\r\n');
      if (end < 0) return;
      const words = this.#unread.toString('utf8', 0, end).split(/\s+/);
      const verb = words[0];
      if (verb !== 'MSG' && verb !== 'HMSG') {
        this.#unread = this.#unread.subarray(end + 2);
        if (verb === 'PING') this.#socket.write('PONG\r\n');
        if (verb === 'PONG') this.#pongs.shift()?.();
        continue;
      }
      const size = Number(words.at(-1));
      if (this.#unread.length < end + 2 + size + 2) return;
      const headerSize = verb === 'HMSG' ? Number(words.at(-2)) : 0;
      const start = end + 2;
      const hasReply = words.length === (verb === 'HMSG' ? 6 : 5);
      const message: BareMessage = {
        subject: words[1] ?? '',
        reply: hasReply ? words[3] : undefined,
        headers: headerSize > 0 ? this.#unread.toString('utf8', start, start + headerSize) : undefined,
        payload: Buffer.from(this.#unread.subarray(start + headerSize, start + size)),
      };
      this.#unread = this.#unread.subarray(start + size + 2);
      this.#listeners.get(words[2] ?? '')?.(message);
    }
  }
}

/** A fresh reply subject of the form that Go's client makes. */
export function freshInbox(): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  let name = '';
  for (let n = 0; n < 22; n++) name += alphabet[Math.floor(Math.random() * alphabet.length)];
  return `_INBOX.${name}`;
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

import type { Listener, Message, Socket, Transport } from '@ts-micro/core';
import { connectNats, encodeEnvelope, type NatsConnection, type NatsMessage } from '@ts-micro/nats';
import { type NatsTransportOptions, natsTransport } from '@ts-micro/transport-nats';

/** A transport that does not wait long for handlers which nobody will end. */
export function openTransport(options: NatsTransportOptions): Transport {
  return natsTransport({ closeTimeoutMs: 200, ...options });
}

/** A message with a text as its body. */
export function message(text: string, headers: Readonly<Record<string, string>> = {}): Message {
  return { headers, body: Buffer.from(text) };
}

export function textOf(received: Message | undefined): string | undefined {
  return received && Buffer.from(received.body).toString();
}

/** What promises to come within ten seconds. */
export function soon(): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(10_000) };
}

/** Sends back what comes until the peer has gone. */
export async function echo(socket: Socket): Promise<void> {
  for await (const received of socket) await socket.send(received);
}

/** A listener whose sockets are handed out by `next`, and whose handlers run until their socket has closed. */
export async function serve(
  transport: Transport,
  address?: string,
): Promise<{ readonly listener: Listener; readonly sockets: readonly Socket[]; next(): Promise<Socket> }> {
  const listener = await transport.listen(address);
  const sockets: Socket[] = [];
  const waiting: ((socket: Socket) => void)[] = [];
  let taken = 0;
  await listener.accept(async (socket) => {
    sockets.push(socket);
    waiting.shift()?.(socket);
    await socket.closed;
  });
  return {
    listener,
    sockets,
    next() {
      const index = taken++;
      const present = sockets[index];
      if (present) return Promise.resolve(present);
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
}

/** A client that knows nothing of us: what Go Micro looks like from here. */
export interface BarePeer extends AsyncDisposable {
  readonly connection: NatsConnection;
  readonly inbox: string;
  /** Everything that came to {@link inbox} and to the subjects of {@link hear}. */
  readonly received: readonly NatsMessage[];
  hear(subject: string): Promise<void>;
  send(subject: string, wire: string | Uint8Array, reply?: string): void;
  sendMessage(subject: string, sent: Message, reply?: string): void;
  /** Leaves its inbox without a word. */
  leave(): void;
}

export async function barePeer(servers: string): Promise<BarePeer> {
  const connection = await connectNats({ servers });
  const inbox = connection.newInbox();
  const received: NatsMessage[] = [];
  const onMessage = (one: NatsMessage) => received.push(one);
  const subscription = connection.subscribe(inbox, { onMessage });
  await subscription.confirm();
  const send = (subject: string, wire: string | Uint8Array, reply = inbox) =>
    connection.publish(subject, Buffer.from(wire), { reply: reply === '' ? undefined : reply });
  return {
    connection,
    inbox,
    received,
    hear: (subject) => connection.subscribe(subject, { onMessage }).confirm(),
    send,
    sendMessage: (subject, sent, reply) => send(subject, encodeEnvelope(sent), reply),
    leave: () => subscription.unsubscribe(),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

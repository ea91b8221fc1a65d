import type { Listener, Message, Socket, Transport } from '@ts-micro/core';
import { assertMessage, message, textOf } from '../../assertions.ts';
import type { CaseContext } from '../../case-context.ts';
import type { Inbox } from '../../inbox.ts';

export type TransportContext = CaseContext<'transport'>;

/** A listener whose sockets are handed to the case and stay open until they are closed or the case ends. */
export interface Serving {
  readonly server: Transport;
  readonly listener: Listener;
  readonly sockets: Inbox<Socket>;
}

/** Both ends of one conversation, on two transports. */
export interface Pair extends Serving {
  readonly client: Transport;
  readonly dialled: Socket;
  readonly accepted: Socket;
}

export async function serve(context: TransportContext): Promise<Serving> {
  const sockets = context.inbox<Socket>('sockets at the listener');
  const serving = await serveWith(context, async (socket) => {
    sockets.put(socket);
    await Promise.race([socket.closed, context.ended]);
  });
  return { ...serving, sockets };
}

/** A listener with a handler of the case's own. */
export async function serveWith(
  context: TransportContext,
  handler: (socket: Socket) => void | Promise<void>,
): Promise<Pick<Serving, 'server' | 'listener'>> {
  const server = await context.open();
  const listener = await context.within(server.listen(), 'listen');
  await context.within(listener.accept(handler), 'accept');
  return { server, listener };
}

/** A listener that sends every message back. */
export function serveEcho(context: TransportContext): Promise<Pick<Serving, 'server' | 'listener'>> {
  return serveWith(context, (socket) => echo(context, socket));
}

/** Sends back what comes until the peer closes or the case ends. */
export async function echo(context: TransportContext, socket: Socket): Promise<void> {
  const ended = context.ended.then(() => undefined);
  for (;;) {
    const received = await Promise.race([socket.receive().catch(() => undefined), ended]);
    if (received === undefined) return;
    await socket.send(received).catch(() => {});
  }
}

/** Dials a listener as the backend's author wants it. */
export function dial(
  context: TransportContext,
  transport: Transport,
  listener: Listener,
  signal?: AbortSignal,
): Promise<Socket> {
  const metadata = context.settings.dialWithMetadata === false ? undefined : listener.metadata;
  return context.within(transport.dial(listener.address, { metadata, signal }), 'dial');
}

/** A dialled socket and the same seen by the listener, after a first exchange both ways. */
export async function pair(context: TransportContext): Promise<Pair> {
  const serving = await serve(context);
  const client = await context.open();
  return { ...serving, client, ...(await connect(context, client, serving)) };
}

/** One more socket to the same listener, seen from both ends. */
export async function connect(
  context: TransportContext,
  client: Transport,
  { listener, sockets }: Serving,
): Promise<Pick<Pair, 'dialled' | 'accepted'>> {
  const dialled = await dial(context, client, listener);
  await context.within(dialled.send(message('hello')), 'the first send');
  const accepted = await sockets.take();
  await receiveText(context, accepted);
  await context.within(accepted.send(message('welcome')), 'the first reply');
  await receiveText(context, dialled);
  return { dialled, accepted };
}

export function receive(context: TransportContext, socket: Socket): Promise<Message | undefined> {
  return context.within(socket.receive(), 'receive');
}

export async function receiveText(context: TransportContext, socket: Socket): Promise<string> {
  return textOf(await receive(context, socket));
}

/** Sends and waits for the echo. */
export async function exchange(context: TransportContext, socket: Socket, text: string): Promise<string> {
  await context.within(socket.send(message(text)), `sending ${text}`);
  return receiveText(context, socket);
}

/** Receives `count` texts, in the order they come. */
export async function receiveTexts(context: TransportContext, socket: Socket, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) texts.push(await receiveText(context, socket));
  return texts;
}

/** Sends without waiting in between; resolves once all are handed over. */
export async function sendTexts(context: TransportContext, socket: Socket, texts: readonly string[]): Promise<void> {
  await context.within(
    Promise.all(texts.map((text) => socket.send(message(text)))),
    `sending ${texts.length} messages`,
  );
}

/** Sends `sent` both ways and compares what arrives. */
export async function assertBothWays(
  context: TransportContext,
  { dialled, accepted }: Pick<Pair, 'dialled' | 'accepted'>,
  sent: Message,
): Promise<void> {
  await context.within(dialled.send(sent), 'send');
  assertMessage(await receive(context, accepted), sent, 'at the listener');
  await context.within(accepted.send(sent), 'reply');
  assertMessage(await receive(context, dialled), sent, 'at the dialler');
}

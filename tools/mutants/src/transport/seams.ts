import type { Listener, Message, Socket, Transport } from '@ts-micro/core';
import { altered } from '../altered.ts';

export type End = 'dialled' | 'accepted';

type Breakage = (sound: Transport) => Transport;

/** Breaks the transport itself. */
export function transports(members: (transport: Transport) => Partial<Transport>): Breakage {
  return (transport) => altered(transport, members(transport));
}

/** Breaks every listener. */
export function listeners(members: (listener: Listener) => Partial<Listener>): Breakage {
  return transports((transport) => ({
    async listen(address, options) {
      const listener = await transport.listen(address, options);
      return altered(listener, members(listener));
    },
  }));
}

/** Breaks every socket that is dialled, and every one that is accepted. */
export function sockets(members: (socket: Socket, end: End) => Partial<Socket>): Breakage {
  const accepting = acceptedSockets((socket) => members(socket, 'accepted'));
  return (transport) =>
    altered(accepting(transport), {
      async dial(address, options) {
        const socket = await transport.dial(address, options);
        return altered(socket, members(socket, 'dialled'));
      },
    });
}

/** Breaks every socket that is accepted. */
export function acceptedSockets(members: (socket: Socket) => Partial<Socket>): Breakage {
  return listeners((listener) => ({
    accept: (handler, options) => listener.accept((socket) => handler(altered(socket, members(socket))), options),
  }));
}

/**
 * Breaks what is done with each socket that is accepted: `handle` stands between the listener and the handler it was
 * given.
 */
export function handlers(
  handle: (socket: Socket, handler: (socket: Socket) => Promise<void>) => Promise<void>,
): Breakage {
  return listeners((listener) => ({
    accept: (handler, options) =>
      listener.accept((socket) => handle(socket, async (handed) => handler(handed)), options),
  }));
}

/** Breaks messages as they are sent; `undefined` is not sent. */
export function sends(change: (message: Message, end: End) => Message | undefined, only?: End): Breakage {
  return sockets((socket, end) => ({
    async send(message, options) {
      const sent = only === undefined || only === end ? change(message, end) : message;
      if (sent) await socket.send(sent, options);
    },
  }));
}

/** Names the conversation that a socket is one end of; the same at both ends. */
export function conversation(socket: Socket, end: End): string {
  return end === 'dialled' ? socket.local : socket.remote;
}

export function otherEnd(end: End): End {
  return end === 'dialled' ? 'accepted' : 'dialled';
}

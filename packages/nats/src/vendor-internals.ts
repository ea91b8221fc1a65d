import type { VendorConnection, VendorMessage } from './vendor-connection.ts';

// What nats 2.29 offers no public way to; only for connections made here, with the version this package depends on.
interface Internals {
  readonly protocol?: {
    readonly connectPromise?: Promise<void> | null;
    readonly servers?: { addServer?(address: string): void; getCurrentServer?(): { readonly hostname: string } };
    readonly transport?: { readonly socket?: { destroy(): void }; disconnect(): void };
    readonly heartbeats?: { cancel(): void };
  };
}

/** Adds servers to fail over to: the first connect tries one server at a time, so that each one's own error is known. */
export function addServers(vendor: VendorConnection, addresses: readonly string[]): void {
  const servers = (vendor as Internals).protocol?.servers;
  for (const address of addresses) servers?.addServer?.(address);
}

/** The host of the server that the client is on, or dials now. */
export function currentHost(vendor: VendorConnection): string | undefined {
  return (vendor as Internals).protocol?.servers?.getCurrentServer?.().hostname;
}

/** Destroys the socket of a stale link: the client first waits for its last bytes to be written, which on a dead link may be never. */
export function destroySocket(vendor: VendorConnection): void {
  (vendor as Internals).protocol?.transport?.socket?.destroy();
}

/** After `close()`: a dial that was under way would otherwise still succeed and leave a socket and a timer behind. */
export function abandonDial(vendor: VendorConnection): void {
  const protocol = (vendor as Internals).protocol;
  const disconnect = () => {
    protocol?.heartbeats?.cancel();
    protocol?.transport?.disconnect();
  };
  protocol?.connectPromise?.then(disconnect, () => {});
  protocol?.transport?.socket?.destroy();
}

interface MessageInternals {
  readonly _msg?: { readonly subject?: Uint8Array; readonly reply?: Uint8Array };
}

const { utf8Slice } = Buffer.prototype as unknown as {
  utf8Slice(this: Uint8Array, start: number, end: number): string;
};

/** The subject of a message. The client's own decoder takes several times as long. */
export function subjectOf(message: VendorMessage): string {
  const bytes = (message as MessageInternals)._msg?.subject;
  return bytes instanceof Uint8Array ? utf8Slice.call(bytes, 0, bytes.length) : message.subject;
}

/** The reply subject of a message, if it has one. */
export function replyOf(message: VendorMessage): string | undefined {
  const internals = (message as MessageInternals)._msg;
  // Only with the subject at its place is a missing reply none.
  if (!(internals?.subject instanceof Uint8Array)) return message.reply || undefined;
  const { reply } = internals;
  return reply === undefined || reply.length === 0 ? undefined : utf8Slice.call(reply, 0, reply.length);
}

import type { VendorConnection } from './vendor-connection.ts';

// What nats 2.29 offers no public way to; only for connections made here, with the version this package depends on.
interface Internals {
  readonly protocol?: {
    readonly connectPromise?: Promise<void> | null;
    readonly servers?: { addServer?(address: string): void };
    readonly transport?: { readonly socket?: { destroy(): void }; disconnect(): void };
    readonly heartbeats?: { cancel(): void };
  };
}

/** Adds servers to fail over to: the first connect tries one server at a time, so that each one's own error is known. */
export function addServers(vendor: VendorConnection, addresses: readonly string[]): void {
  const servers = (vendor as Internals).protocol?.servers;
  for (const address of addresses) servers?.addServer?.(address);
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

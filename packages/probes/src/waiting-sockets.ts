import type { Socket } from 'node:net';

/**
 * The sockets on which nobody has asked yet. Where they are too many, the oldest of the address that has most of them
 * goes: whoever opens sockets and keeps silent must not keep a kubelet out, which would then restart the process.
 */
export class WaitingSockets {
  readonly #most: number;
  /** By the peer's address, each in the order in which they came. */
  readonly #byAddress = new Map<string, Set<Socket>>();
  #size = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const same = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, same.add(socket));
    this.#size++;
    socket.once('close', () => this.#remove(address, socket));
    if (this.#size > this.#most) this.#shed();
  }

  /** It has asked. */
  delete(socket: Socket): void {
    this.#remove(socket.remoteAddress ?? '', socket);
  }

  /** Nobody will be answered any more who has not asked. */
  destroyAll(): void {
    for (const sockets of [...this.#byAddress.values()]) for (const socket of [...sockets]) socket.destroy();
  }

  #remove(address: string, socket: Socket): void {
    const same = this.#byAddress.get(address);
    if (same?.delete(socket) !== true) return;
    this.#size--;
    if (same.size === 0) this.#byAddress.delete(address);
  }

  #shed(): void {
    let most: [string, Set<Socket>] | undefined;
    for (const entry of this.#byAddress) if (entry[1].size > (most?.[1].size ?? 0)) most = entry;
    if (most === undefined) return;
    const [address, sockets] = most;
    for (const oldest of sockets) {
      this.#remove(address, oldest);
      oldest.destroy();
      return;
    }
  }
}

/** A socket whose only stream was refused, of a peer that cannot be told that it closes. */
export interface RefusedSocket {
  /** Closes it where nothing else was asked on it; false where the refusal is still being sent. */
  endRefused(): boolean;
}

/** How long nothing has come: what the peer sent before it read the refusal has come by then. */
const quietMs = 2000;

/**
 * Closes sockets of Go Micro's peers, which never say that they leave, soon after their only stream was refused: who is
 * refused again and again must not keep a socket each time until it counts as idle.
 *
 * Not at once: what the peer sent meanwhile is known by its socket to be of the refused stream, and would open another
 * one without it.
 */
export class RefusedSockets {
  /** When something came last, the longest ago first. */
  readonly #heardAt = new Map<RefusedSocket, number>();
  #timer: NodeJS.Timeout | undefined;

  /** It was refused, or something came since. */
  heard(socket: RefusedSocket): void {
    this.#heardAt.delete(socket);
    this.#heardAt.set(socket, performance.now());
    this.#timer ??= setInterval(() => this.#endQuiet(), quietMs / 4).unref();
  }

  /** It has ended. */
  delete(socket: RefusedSocket): void {
    this.#heardAt.delete(socket);
    if (this.#heardAt.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #endQuiet(): void {
    const before = performance.now() - quietMs;
    // What is heard meanwhile is put behind the others, and is too new.
    for (const [socket, heardAt] of this.#heardAt) {
      if (heardAt > before) return;
      if (socket.endRefused()) this.delete(socket);
      else this.heard(socket);
    }
  }
}

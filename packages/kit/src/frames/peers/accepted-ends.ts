import { type DiallingPeer, diallingPeer } from './dialling-peer.ts';

/** The listening end of a socket, as those that share a listener with it need to know it. */
export interface ListeningEnd {
  /** The dialler's reply address; empty where it gave none. */
  readonly remote: string;
  readonly dialling: DiallingPeer;
  /** Whether a message has come whole, so that the handler is to have the socket. */
  readonly hasMessage: boolean;
  /** Whether all that came is answered, as far as a transport can see. */
  readonly isAtRest: boolean;
  /** When a message went in either direction last, in ticks of the listener's clock. */
  readonly lastActive: number;
}

/** Sockets whose first message has not come whole: more would only be somebody's flood of first chunks. */
const maxOpening = 4096;

/**
 * The accepted ends of one listener.
 *
 * Those whose first message is still incomplete have no handler and do not count as running; where they are too many,
 * the one whose last bytes came longest ago goes: first one of the same peer, if that peer has more than half.
 */
export class AcceptedEnds<End extends ListeningEnd> {
  readonly #peerOf: (remote: string) => string;
  /** By the dialler's reply address; those that are known to have no further message are in `running` only. */
  readonly #byRemote = new Map<string, End>();
  /** In the order in which their last bytes came. */
  readonly #opening = new Set<End>();
  /** Those that have sockets, by name. */
  readonly peers: Map<string, DiallingPeer> = new Map();
  /** Those whose handler runs. */
  readonly running: Set<End> = new Set();

  /** `peerOf` tells what the reply addresses of one dialling process have in common. */
  constructor(peerOf: (remote: string) => string) {
    this.#peerOf = peerOf;
  }

  /** All that further messages can come to. */
  get known(): Iterable<End> {
    return this.#byRemote.values();
  }

  /** How many there are, with and without a handler. */
  get size(): number {
    return this.running.size + this.#opening.size;
  }

  get(remote: string): End | undefined {
    return this.#byRemote.get(remote);
  }

  /** Returns the process that a reply address is of, known or not. */
  peerOf(remote: string): DiallingPeer {
    const name = this.#peerOf(remote);
    return this.peers.get(name) ?? diallingPeer(name);
  }

  /** Takes a new one whose first message has not come whole; returns one that has to go for it. */
  open(end: End): End | undefined {
    if (end.remote !== '') this.#byRemote.set(end.remote, end);
    const { dialling } = end;
    if (dialling.sockets++ === 0) this.peers.set(dialling.name, dialling);
    dialling.opening++;
    this.#opening.add(end);
    if (this.#opening.size <= maxOpening) return undefined;
    const isMost = dialling.opening > maxOpening / 2;
    for (const idlest of this.#opening) if (!isMost || idlest.dialling === dialling) return idlest;
    return undefined;
  }

  /** More of it came; returns true where that was its first message, and its handler is to run. */
  progressed(end: End): boolean {
    if (!this.#opening.delete(end)) return false;
    if (!end.hasMessage) {
      this.#opening.add(end);
      return false;
    }
    end.dialling.opening--;
    this.running.add(end);
    return true;
  }

  /** No further message is expected for it. */
  forget(end: End): void {
    // A later message with the same reply subject may have made another one.
    if (this.#byRemote.get(end.remote) === end) this.#byRemote.delete(end.remote);
    if (this.#opening.delete(end)) end.dialling.opening--;
  }

  /** It has ended. */
  release(end: End): void {
    this.forget(end);
    if (--end.dialling.sockets === 0) this.peers.delete(end.dialling.name);
  }
}

import { type DiallingPeer, diallingPeer } from '@ts-micro/kit/frames';
import { peerOf } from '@ts-micro/nats';

/** The processes whose plain requests are not all answered. */
export class PlainPeers {
  readonly #peers = new Map<string, DiallingPeer>();

  /** Returns the process that a reply subject is of, known or not. */
  of(reply: string): DiallingPeer {
    const name = peerOf(reply);
    return this.#peers.get(name) ?? diallingPeer(name);
  }

  asked(peer: DiallingPeer): void {
    if (peer.unanswered++ === 0) this.#peers.set(peer.name, peer);
  }

  answered(peer: DiallingPeer): void {
    if (--peer.unanswered === 0) this.#peers.delete(peer.name);
  }
}

/** What one listener counts of one dialling process. */
export interface DiallingPeer {
  /** What its reply subjects have in common. */
  readonly name: string;
  /** Its sockets, whether they have a handler or not. */
  sockets: number;
  /** Those whose first message has not come whole. */
  opening: number;
  /** Those whose last message was one of the peer, so that an answer may be due. */
  unanswered: number;
}

export function diallingPeer(name: string): DiallingPeer {
  return { name, sockets: 0, opening: 0, unanswered: 0 };
}

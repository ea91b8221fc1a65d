/** A stream whose handler runs. */
export interface OpenStream {
  /** Who opened it. */
  readonly peer: string;
  /** When a message went in either direction last, or it was opened, by `performance.now()`. */
  readonly lastActive: number;
  /** Whether no message has gone in either direction. */
  readonly isSilent: boolean;
  /** Ends it for others, and tells its client. */
  shed(): void;
}

/** How long a stream was quiet, in milliseconds, that goes for others though its peer has less than half of all. */
const quietMs = 1000;

/**
 * The streams of a service, bounded in number.
 *
 * Where there is no place, the peer with the most streams gives up the one that was quiet for longest, so that nobody
 * can shut others out: if that peer has more than half of all, or the stream was quiet for a second. Where peers have
 * as many as who asks, only a stream goes on which nothing was said within a second.
 */
export class OpenStreams {
  readonly #limit: number;
  readonly #byPeer = new Map<string, Set<OpenStream>>();
  /** Those that were told to end and whose handlers have not yet. */
  readonly #leaving = new Set<OpenStream>();
  #size = 0;
  /** Until then nobody's stream is worth less than a new one, so that a flood does not look again and again. */
  #noneUntil = Number.NEGATIVE_INFINITY;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many are open. */
  get size(): number {
    return this.#size;
  }

  /** True where one more of this peer may be added now, for which another may have been shed. */
  makeRoom(peer: string): boolean {
    if (this.#size < this.#limit) return true;
    // Handlers that do not obey their signal must not become more and more.
    if (this.#leaving.size >= this.#limit) return false;
    const stream = this.#leastWorthFor(peer);
    if (stream === undefined) return false;
    this.#forget(stream);
    this.#leaving.add(stream);
    stream.shed();
    return true;
  }

  add(stream: OpenStream): void {
    const own = this.#byPeer.get(stream.peer);
    if (own === undefined) this.#byPeer.set(stream.peer, new Set([stream]));
    else own.add(stream);
    this.#size++;
    this.#noneUntil = Number.NEGATIVE_INFINITY;
  }

  /** Its handler has ended. */
  delete(stream: OpenStream): void {
    if (!this.#leaving.delete(stream)) this.#forget(stream);
  }

  #forget(stream: OpenStream): void {
    const own = this.#byPeer.get(stream.peer);
    if (own?.delete(stream) !== true) return;
    this.#size--;
    if (own.size === 0) this.#byPeer.delete(stream.peer);
  }

  #leastWorthFor(peer: string): OpenStream | undefined {
    const now = performance.now();
    if (now < this.#noneUntil) return undefined;
    const own = this.#byPeer.get(peer)?.size ?? 0;
    const quietSince = now - quietMs;
    let firstQuiet = now;
    let most: ReadonlySet<OpenStream> = new Set();
    for (const streams of this.#byPeer.values()) if (streams.size > most.size) most = streams;
    if (most.size > own + 1) {
      const idlest = idlestOf(most);
      if (idlest !== undefined && (most.size > this.#limit / 2 || idlest.lastActive <= quietSince)) return idlest;
      firstQuiet = idlest?.lastActive ?? now;
    }
    // Nothing is allocated for it, as a flood of others' streams comes here with each of them.
    let unused: OpenStream | undefined;
    for (const streams of this.#byPeer.values()) {
      for (const stream of streams)
        if (stream.isSilent && stream.lastActive <= (unused?.lastActive ?? now)) unused = stream;
    }
    if (unused !== undefined && unused.lastActive <= quietSince) return unused;
    // Who has none yet would find one before all others.
    if (own === 0) this.#noneUntil = Math.min(firstQuiet, unused?.lastActive ?? now) + quietMs;
    return undefined;
  }
}

function idlestOf(streams: Iterable<OpenStream>): OpenStream | undefined {
  let idlest: OpenStream | undefined;
  for (const stream of streams) if (idlest === undefined || stream.lastActive < idlest.lastActive) idlest = stream;
  return idlest;
}

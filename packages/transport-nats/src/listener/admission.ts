import { type Logger, MicroError } from '@ts-micro/core';
import { shown } from '@ts-micro/kit';
import { type AcceptedEnds, type Clock, type DiallingPeer, type FairIntake, SocketPlaces } from '@ts-micro/kit/frames';
import { fairIntakeOf, type NatsConnection, tellNoResponders } from '@ts-micro/nats';
import type { AcceptedEnd } from './accepted-end.ts';

export interface AdmissionInit {
  readonly connection: NatsConnection;
  readonly address: string;
  readonly what: string;
  readonly logger: Logger;
  readonly ends: AcceptedEnds<AcceptedEnd>;
  readonly clock: Clock;
  readonly maxSockets: number;
  /** Fails a socket, and tells its dialler. */
  readonly fail: (end: AcceptedEnd, cause: MicroError) => void;
  /** Ends one on which nothing is under way. */
  readonly retire: (end: AcceptedEnd) => void;
}

/** Says which messages a listener reads and which sockets it has, so that each process has its part. */
export class Admission {
  readonly #init: AdmissionInit;
  readonly #intake: FairIntake;
  readonly #places: SocketPlaces<AcceptedEnd>;
  #isFull = false;

  constructor(init: AdmissionInit) {
    this.#init = init;
    this.#intake = fairIntakeOf(init.connection);
    this.#places = new SocketPlaces(init.ends, init.clock, init.maxSockets);
  }

  /** Refuses what its peer must not have beside others, before anything is made of it; returns true where it did. */
  isTooMuch(remote: string, known: AcceptedEnd | undefined): boolean {
    const { connection, address, what, logger, ends, fail } = this.#init;
    const peer = known?.dialling ?? ends.peerOf(remote);
    const intake = this.#intake.judge(peer, known === undefined || known.isAtRest);
    if (intake === 'taken') return false;
    logger.warn('nats listener refuses what one process asks beside others', {
      listener: address,
      peer: shown(peer.name),
    });
    if (known !== undefined)
      fail(known, new MicroError('unavailable', `${what}: its peer asks more than others leave room for`));
    else if (intake === 'refused') tellNoResponders(connection, remote);
    return true;
  }

  /** True where one more socket may be had, for which others may have left. */
  hasPlace(dialling: DiallingPeer): boolean {
    if (!this.#places.isFull) return true;
    const { idle, inUse } = this.#places.leaversFor(dialling.name);
    for (const end of idle) this.#init.retire(end);
    // Not as `fail` does: "no responders" would mean that no handler has run.
    for (const end of inUse)
      void end.socket.abandon(
        new MicroError('unavailable', `${this.#init.what}: the peer ${end.peer} has more than half of all sockets`),
      );
    return !this.#places.isFull;
  }

  /** A socket has got its place. */
  admitted(): void {
    this.#isFull = false;
  }

  /** A socket was refused. Warns once until there is room: a flood of sockets must not become one of log lines. */
  refused(): void {
    if (this.#isFull) return;
    this.#isFull = true;
    const { logger, address, ends } = this.#init;
    logger.warn('nats listener refuses sockets', { listener: address, sockets: ends.running.size });
  }

  /** The handler of a socket is over. */
  ended(end: AcceptedEnd): void {
    this.#places.ended(end);
  }
}

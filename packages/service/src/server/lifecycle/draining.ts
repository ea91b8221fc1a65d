import { MicroError } from '@ts-micro/core';
import { nextTurnOfLoop, pause, untilAborted } from '@ts-micro/kit';
import type { Events } from '../events/events.ts';
import type { Invocations } from '../invoke/invocations.ts';
import type { ServiceCore } from '../serve/service-core.ts';
import type { SocketServer } from '../serve/socket-server.ts';
import type { Gateways } from './gateways.ts';
import type { Registration } from './registration.ts';

export interface DrainingInit {
  readonly core: ServiceCore;
  readonly events: Events;
  readonly registration: Registration | undefined;
  readonly gateways: Gateways;
  readonly invocations: Invocations;
  readonly sockets: ReadonlySet<SocketServer>;
  readonly graceMs: number;
  /** Aborts when nothing is waited for any longer. */
  readonly signal: AbortSignal;
}

const leaveTimeoutMs = 2000;
// Callers hear of a deregistration a moment later: nobody asks any more once it was quiet for so long.
const quietMs = 50;
// Handlers that obey their signal get this long to answer before their sockets close.
const abortGraceMs = 250;

/** How a service stops, step by step; what it opened stays open for answers until its owner releases it. */
export class Draining {
  readonly #init: DrainingInit;
  readonly #isShut: Promise<void>;
  #onShut: () => void = () => {};

  constructor(init: DrainingInit) {
    this.#init = init;
    this.#isShut = new Promise((resolve) => {
      this.#onShut = resolve;
    });
  }

  /** Resolves with the endpoint or topic of each handler that it did not wait for. */
  async run(): Promise<readonly string[]> {
    const { core, events, sockets, signal } = this.#init;
    const { limiter, gate, name } = core;
    gate.takesStreams = false;
    limiter.abort(new MicroError('unavailable', `${name}: the service is stopping`), 'stream');
    await Promise.all([this.#leaveRegistry(), this.#leaveGateways()]);
    // The listener stays until the end, so that who still calls is refused in words, and no bound of its own cuts an
    // answer off.
    gate.takesRequests = false;
    for (const socket of sockets) socket.drain();
    this.#onShut();
    const giveUp = new AbortController();
    const eventsClosed = events.close({ signal: giveUp.signal });
    await untilAborted(Promise.all([eventsClosed, limiter.whenIdle()]), signal);
    const abandoned = limiter.names();
    if (abandoned.length > 0 || limiter.waiting > 0) await this.#abandon();
    giveUp.abort();
    await eventsClosed;
    return abandoned;
  }

  /** Resolves once nothing is in the way but handlers that wait for just this, with what it did not wait for. */
  async whenOthersAreDone(): Promise<readonly string[]> {
    const { core, signal } = this.#init;
    await this.#isShut;
    await untilAborted(core.limiter.whenOthersIdle(), signal);
    return core.limiter.othersNames();
  }

  async #leaveRegistry(): Promise<void> {
    const { core, registration, graceMs, signal } = this.#init;
    if (registration === undefined) return;
    await registration.end({ signal: AbortSignal.any([signal, AbortSignal.timeout(leaveTimeoutMs)]) });
    const end = performance.now() + graceMs;
    for (let seen = -1; seen !== core.gate.asked && performance.now() < end && !signal.aborted; ) {
      seen = core.gate.asked;
      await pause(Math.min(quietMs, end - performance.now()), { signal });
      // What came while the loop was blocked is read first: it was not quiet.
      await nextTurnOfLoop();
    }
  }

  #leaveGateways(): Promise<void> {
    const { gateways, signal } = this.#init;
    return gateways.leave(AbortSignal.any([signal, AbortSignal.timeout(leaveTimeoutMs)]));
  }

  async #abandon(): Promise<void> {
    const { core, sockets, invocations } = this.#init;
    const { limiter, name } = core;
    const reason = new MicroError('canceled', `service "${name}": the service stops without waiting any longer`);
    limiter.refuseWaiting();
    limiter.abort(reason);
    for (const socket of sockets) socket.abort(reason);
    await Promise.race([limiter.whenIdle(), pause(abortGraceMs)]);
    for (const socket of sockets) socket.abandon();
    invocations.abandon(reason);
  }
}

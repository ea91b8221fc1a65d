import { MicroError, type Socket } from '@ts-micro/core';
import { abortable, abortFanOut } from '@ts-micro/kit';
import { DeadlineClock } from '../call/deadline-clock.ts';
import type { PendingCall } from '../call/pending-call.ts';
import type { ClientSettings } from '../client-options.ts';
import { NodeChooser } from '../discovery/node-chooser.ts';
import { RegistryCache } from '../discovery/registry-cache.ts';
import type { Candidate } from '../discovery/selector.ts';
import { SocketPools } from '../pool/socket-pools.ts';
import { Quarantine } from './outlier-ejection.ts';

const firstPauseMs = 100;
const longestPauseMs = 1000;

/**
 * What the attempts of all calls of a client share, and what happens when one fails: the node's standing, whether another may follow,
 * and the pause before it.
 */
export class Attempts {
  readonly clock: DeadlineClock = new DeadlineClock();
  readonly pools: SocketPools;
  readonly quarantine: Quarantine = new Quarantine();
  readonly cache: RegistryCache | undefined;
  readonly #settings: ClientSettings;
  readonly #chooser: NodeChooser;
  readonly #running = new Set<PendingCall>();
  #onIdle: (() => void) | undefined;

  constructor(settings: ClientSettings) {
    this.#settings = settings;
    const { registry, transport, logger } = settings;
    const now = () => this.clock.now();
    this.pools = new SocketPools(settings.poolSize, settings.poolIdleMs, now);
    this.cache =
      registry &&
      new RegistryCache({
        registry,
        transport: transport.name,
        logger,
        now,
        onNews: (address) => this.quarantine.clear(address),
        onGone: (address) => {
          this.quarantine.clear(address);
          this.pools.drop(address);
        },
      });
    this.#chooser = new NodeChooser(this.cache, this.quarantine, settings.select);
  }

  /** Calls that are not over. */
  get running(): number {
    return this.#running.size;
  }

  /** Begins the first attempt of a call; from now on its deadline, its signals and `close` end it. */
  enter(call: PendingCall): void {
    this.#running.add(call);
    const { options } = call;
    if (options?.signal !== undefined) abortFanOut.add(options.signal, call);
    if (options?.context !== undefined) abortFanOut.add(options.context.signal, call);
    this.#begin(call, call.beganAtMs);
  }

  leave(call: PendingCall): void {
    this.clock.stop(call);
    const { options } = call;
    if (options?.signal !== undefined) abortFanOut.delete(options.signal, call);
    if (options?.context !== undefined) abortFanOut.delete(options.context.signal, call);
    this.#running.delete(call);
    if (this.#running.size === 0) this.#onIdle?.();
  }

  /** The node for the next exchange: at once where it is known. */
  target(call: PendingCall): Candidate | Promise<Candidate> {
    return this.#chooser.chooseNow(call, call.beganAtMs) ?? call.wait(this.#chooser.choose(call, call.beganAtMs));
  }

  /** A fresh socket to a node. */
  async dial(call: PendingCall, { node }: Candidate): Promise<Socket> {
    const dialling = this.#settings.transport.dial(node.address, { metadata: node.metadata });
    try {
      return await call.wait(dialling);
    } catch (error) {
      // Nobody waits for it any more, but it may still open.
      dialling.then(
        (socket) => socket.close(),
        () => {},
      );
      throw error;
    }
  }

  /** Notes that a node answered. */
  succeed(candidate: Candidate): void {
    if (this.quarantine.size > 0) this.quarantine.clear(candidate.node.address);
  }

  /** Notes that a node is down, seen outside of a call. */
  suspect(service: string, address: string): void {
    const nowMs = this.clock.now();
    this.quarantine.fail(address, nowMs, nowMs);
    void this.cache?.refresh(service);
  }

  /** Settles a failed attempt: returns once the next may begin, or throws what the call fails with. */
  async fail(call: PendingCall, thrown: unknown): Promise<void> {
    const error = call.isCut ? call.cutError() : described(call, thrown);
    void call.socket?.close();
    if (isStale(call, error)) {
      // The idle socket had closed unnoticed; its siblings likely did as well. Nothing was sent, so this was not an attempt.
      this.pools.of((call.candidate as Candidate).node.address).clear();
      this.#begin(call, this.clock.now());
      return;
    }
    const nowMs = this.clock.now();
    this.#judge(call, error, nowMs);
    call.mayHaveRun ||= call.stage !== 'choosing' && !error.retrySafe;
    call.lastError = error;
    call.failures++;
    const isOver = !call.mayGoOn || nowMs >= call.endsByMs || call.failures > call.retries || !isRetryable(call, error);
    if (isOver) throw finalError(call, error);
    if (call.candidate !== undefined) call.tried = [...(call.tried ?? []), call.candidate.node.address];
    await this.#pause(call, error, nowMs);
    this.#begin(call, this.clock.now());
  }

  /** Resolves once no call runs. */
  idle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Ends every call that still runs, and releases everything. */
  async close(): Promise<void> {
    for (const call of this.#running) call.onClientClose();
    // They end in this turn or the next, unless a transport does not let go.
    await abortable(this.idle(), AbortSignal.timeout(1000), 'client').catch(() => {});
    this.pools.close();
    this.clock.close();
    await this.cache?.close();
  }

  #begin(call: PendingCall, nowMs: number): void {
    call.begin(nowMs, Math.min(call.attemptTimeoutMs, call.endsByMs - nowMs));
    this.clock.start(call, call.limitMs, nowMs);
  }

  /** Takes a node that is down, or that keeps everybody waiting, out of selection. */
  #judge(call: PendingCall, error: MicroError, nowMs: number): void {
    const { candidate } = call;
    if (candidate === undefined || !call.mayGoOn) return;
    const { address } = candidate.node;
    const pool = this.pools.of(address);
    if (error.code === 'timeout') {
      // One slow endpoint is not a dead node: what was sent later was answered.
      if (pool.lastAnsweredMs >= call.beganAtMs) return;
    } else if (error.code !== 'unavailable') {
      return;
    }
    pool.clear();
    // An address that the caller gave is not chosen among others.
    if (call.options?.address !== undefined) return;
    this.quarantine.fail(address, call.beganAtMs, nowMs);
    if (error.code === 'unavailable') void this.cache?.refresh(call.service);
  }

  async #pause(call: PendingCall, error: MicroError, nowMs: number): Promise<void> {
    const isFirst = call.failures === 1;
    if (isFirst && this.#chooser.hasFresh(call, nowMs)) return;
    const longestMs = Math.min(firstPauseMs * 2 ** (call.failures - 1), longestPauseMs);
    const pauseMs = longestMs * (0.5 + Math.random() / 2);
    if (nowMs + pauseMs >= call.endsByMs) throw finalError(call, error);
    // The call's own deadline does not run meanwhile, so that it can time the pause.
    call.begin(nowMs, pauseMs);
    this.clock.start(call, pauseMs, nowMs);
    await call.rest();
    if (!call.mayGoOn) throw finalError(call, call.cutError());
  }
}

/** What was thrown, said of the call. What a peer answered and what the client found says so already. */
function described(call: PendingCall, thrown: unknown): MicroError {
  const error = MicroError.from(thrown, 'internal', call.what);
  if (error.remote !== undefined || error.message.startsWith('client: ')) return error;
  return new MicroError(error.code, `${call.what}: ${error.message}`, { cause: error, retrySafe: error.retrySafe });
}

/** True where an idle socket turned out to have ended before anything was sent. */
function isStale(call: PendingCall, error: MicroError): boolean {
  const hasEnded = error.code === 'closed' || (error.code === 'unavailable' && error.retrySafe);
  return call.isReused && !call.isCut && call.stage === 'sending' && hasEnded;
}

function isRetryable(call: PendingCall, error: MicroError): boolean {
  if (error.code !== 'unavailable' && error.code !== 'timeout') return false;
  return error.retrySafe || (call.options?.idempotent === true && error.remote === undefined);
}

/** What the call fails with: not safe to retry where any of its attempts may have run. */
function finalError(call: PendingCall, error: MicroError): MicroError {
  if (!error.retrySafe || !call.mayHaveRun) return error;
  const { code, message, remote } = error;
  return new MicroError(code, message, remote ? { cause: error, remote } : { cause: error });
}

import { MicroError, type NodeRecord, type Socket } from '@ts-micro/core';
import { abortable, abortFanOut, Roster } from '@ts-micro/kit';
import { DeadlineClock } from '../call/deadline-clock.ts';
import type { PendingCall } from '../call/pending-call.ts';
import { RequestIds } from '../call/request-ids.ts';
import type { ClientSettings } from '../client-options.ts';
import { NodeChooser } from '../discovery/node-chooser.ts';
import { RegistryCache } from '../discovery/registry-cache.ts';
import type { Candidate, LoadObserver } from '../discovery/selector.ts';
import { SocketPools } from '../pool/socket-pools.ts';
import { OutlierEjection } from './outlier-ejection.ts';
import { RetryBudget } from './retry-budget.ts';
import { finalError, isAboutTime, isCostly, isRetryable, isStale, pauseAfter } from './retry-policy.ts';

const mostProven = 10_000;

/**
 * Makes the attempts of all calls of a client, and decides what happens when one fails: the node's standing, whether
 * another may follow (see `retry-policy.ts`), and the pause before it.
 */
export class Attempts {
  readonly settings: ClientSettings;
  readonly clock: DeadlineClock = new DeadlineClock();
  readonly ids: RequestIds = new RequestIds();
  readonly pools: SocketPools;
  readonly ejection: OutlierEjection = new OutlierEjection();
  readonly cache: RegistryCache | undefined;
  readonly #chooser: NodeChooser;
  readonly #observer: LoadObserver | undefined;
  readonly #budget: RetryBudget;
  readonly #running = new Roster<PendingCall>();
  /** Addresses that answered and did not fail since. */
  readonly #proven = new Set<string>();
  #onIdle: (() => void) | undefined;

  constructor(settings: ClientSettings) {
    this.settings = settings;
    const { registry, transport, logger } = settings;
    const now = () => this.clock.now();
    this.pools = new SocketPools(settings.poolSize, settings.poolIdleMs, now);
    this.#observer = settings.select.observer;
    this.#budget = new RetryBudget(settings.retryBudget, now());
    this.cache =
      registry &&
      new RegistryCache({
        registry,
        transport: transport.name,
        logger,
        now,
        onNews: (address) => this.ejection.clear(address),
        onGone: (address) => {
          this.ejection.clear(address);
          this.#proven.delete(address);
          this.#observer?.forget(address);
          this.pools.drop(address);
        },
      });
    this.#chooser = new NodeChooser(this.cache, this.ejection, settings.select, (address) => this.#proven.has(address));
  }

  /** Calls that are not over. */
  get running(): number {
    return this.#running.size;
  }

  /**
   * Makes attempts until one succeeds or no other may follow. From now on deadline, signals and `close` end the call.
   */
  run<T>(call: PendingCall<T>): Promise<T> {
    this.#enter(call);
    return this.#try(call);
  }

  /** Chooses the node for an attempt: at once where it is known. */
  target(call: PendingCall): Candidate | Promise<Candidate> {
    const chosen = this.#chooser.chooseNow(call, call.beganAtMs);
    if (chosen !== undefined) return this.#chose(call, chosen);
    const choosing = call.wait(this.#chooser.choose(call, call.beganAtMs));
    return choosing.then((candidate) => this.#chose(call, candidate));
  }

  /**
   * Opens a fresh socket to a node. An address out of the registry that cannot be one is the node's fault and not the
   * caller's: `unavailable`, safe to retry.
   */
  async dial(call: PendingCall, { address, metadata }: NodeRecord): Promise<Socket> {
    const dialling = this.settings.transport.dial(address, { metadata });
    try {
      return await call.wait(dialling);
    } catch (error) {
      // Nobody waits for it any more, but it may still open.
      dialling.then(
        (socket) => socket.close(),
        () => {},
      );
      if (!MicroError.is(error, 'invalid') || call.options?.address !== undefined) throw error;
      const message = `${call.what}: the node cannot be dialled: ${error.message}`;
      throw new MicroError('unavailable', message, { cause: error, retrySafe: true });
    }
  }

  /** Notes that a node answered. */
  answered(address: string): void {
    if (this.ejection.size > 0) this.ejection.clear(address);
    if (this.#proven.size < mostProven) this.#proven.add(address);
  }

  /** Notes that a node is down, seen outside of a call. */
  suspect(service: string, address: string): void {
    const nowMs = this.clock.now();
    this.ejection.fail(address, nowMs, nowMs);
    void this.cache?.refresh(service);
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
    for (const call of this.#running.all) call.onClientClose();
    // They end in this turn or the next, unless a transport does not let go.
    await abortable(this.idle(), AbortSignal.timeout(1000), 'client').catch(() => {});
    this.pools.close();
    this.clock.close();
    await this.cache?.close();
  }

  // No async function, as this is done for every call.
  #try<T>(call: PendingCall<T>): Promise<T> {
    return call.attempt().then(
      (result) => {
        this.#leave(call);
        this.#observe(call, true);
        return result;
      },
      (error) => this.#tryAgain(call, error),
    );
  }

  async #tryAgain<T>(call: PendingCall<T>, error: unknown): Promise<T> {
    try {
      await this.#fail(call, error);
    } catch (final) {
      this.#leave(call);
      throw final;
    }
    return this.#try(call);
  }

  #enter(call: PendingCall): void {
    this.#running.add(call);
    this.#budget.deposit();
    const { options } = call;
    if (options?.signal !== undefined) abortFanOut.add(options.signal, call);
    if (options?.context !== undefined) abortFanOut.add(options.context.signal, call);
    this.#begin(call, call.beganAtMs);
  }

  #leave(call: PendingCall): void {
    this.clock.stop(call);
    const { options } = call;
    if (options?.signal !== undefined) abortFanOut.delete(options.signal, call);
    if (options?.context !== undefined) abortFanOut.delete(options.context.signal, call);
    this.#running.delete(call);
    if (this.#running.size === 0) this.#onIdle?.();
  }

  #begin(call: PendingCall, nowMs: number): void {
    call.begin(nowMs, Math.min(call.attemptTimeoutMs, call.endsByMs - nowMs));
    this.clock.start(call, call.limitMs, nowMs);
  }

  #chose(call: PendingCall, candidate: Candidate): Candidate {
    call.choose(candidate);
    if (isSelected(call)) this.#observer?.began(candidate.node.address, call.endpoint);
    return candidate;
  }

  #observe(call: PendingCall, hasSucceeded: boolean): void {
    if (this.#observer === undefined || call.candidate === undefined || !isSelected(call)) return;
    const elapsedMs = this.clock.now() - call.beganAtMs;
    this.#observer.ended(call.candidate.node.address, call.endpoint, elapsedMs, hasSucceeded);
  }

  /** Settles a failed attempt: returns once the next may begin, or throws what the call fails with. */
  async #fail(call: PendingCall, thrown: unknown): Promise<void> {
    const nowMs = this.clock.now();
    const error = call.isCut ? call.cutError() : described(call, thrown, nowMs);
    this.#observe(call, error.code !== 'unavailable' && error.code !== 'timeout');
    void call.socket?.close();
    if (isStale(call, error)) {
      // The idle socket had closed unnoticed; its siblings likely did as well. Nothing was sent, so this was not an
      // attempt.
      this.pools.of((call.candidate as Candidate).node.address).clear();
      this.#begin(call, nowMs);
      return;
    }
    this.#judge(call, error, nowMs);
    const { candidate } = call;
    const costs = isCostly(call, error);
    call.fail(error);
    if (!call.mayGoOn || nowMs >= call.endsByMs || call.failures > call.retries)
      throw finalError(error, call.mayHaveRun);
    const mayFollow = isRetryable(error, call.options?.idempotent === true) && (!costs || this.#budget.withdraw(nowMs));
    if (!mayFollow) throw finalError(error, call.mayHaveRun);
    if (candidate !== undefined) call.avoid(candidate.node.address);
    const failed = { failedAt: Date.now(), node: candidate?.node, error };
    await this.#pause(call, error, nowMs);
    call.tryAgain(failed);
    this.#begin(call, this.clock.now());
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
    // One that answers, if only that it is overloaded, is there, and so are the sockets to it.
    const isThere = error.remote !== undefined;
    if (!isThere) pool.clear();
    // An address that the caller gave is not chosen among others.
    if (call.options?.address !== undefined) return;
    if (isThere) {
      this.ejection.rest(address, nowMs);
    } else {
      this.#proven.delete(address);
      this.ejection.fail(address, call.beganAtMs, nowMs);
    }
    if (error.code === 'unavailable') void this.cache?.refresh(call.service);
  }

  async #pause(call: PendingCall, error: MicroError, nowMs: number): Promise<void> {
    if (call.failures === 1 && this.#chooser.hasFresh(call, nowMs)) return;
    const pauseMs = pauseAfter(call.failures, Math.random());
    if (nowMs + pauseMs >= call.endsByMs) throw finalError(error, call.mayHaveRun);
    // The call's own deadline does not run meanwhile, so that it can time the pause.
    call.begin(nowMs, pauseMs);
    this.clock.start(call, pauseMs, nowMs);
    await call.rest();
    if (!call.mayGoOn) throw finalError(call.cutError(), call.mayHaveRun);
  }
}

/** False where the caller chose the address: nobody says when that is gone, so nothing is kept of it. */
function isSelected(call: PendingCall): boolean {
  return call.options?.address === undefined;
}

/** Returns what was thrown as an error of the call. Answers of peers and errors of the client name it already. */
function described(call: PendingCall, thrown: unknown, nowMs: number): MicroError {
  const error = MicroError.from(thrown, 'internal', call.what);
  const { retrySafe } = error;
  if (isAboutTime(error, call.beganAtMs + call.limitMs - nowMs)) return call.timeoutError({ cause: error, retrySafe });
  if (error.remote !== undefined || error.message.startsWith('client: ')) return error;
  return new MicroError(error.code, `${call.what}: ${error.message}`, { cause: error, retrySafe });
}

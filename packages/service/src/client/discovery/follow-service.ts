import { type Logger, MicroError, type Registry, type ServiceRecord, type Watcher } from '@ts-micro/core';
import { abortable, pause } from '@ts-micro/kit';

/** A call waits for the first answer about a service; a watcher begun at the same time would have it wait longer. */
const headStartMs = 50;
const firstPauseMs = 100;
const longestPauseMs = 10_000;
const costlyMs = 1;
const restPerChange = 20;
const longestRestMs = 250;

/** Receives a watcher's events. */
export interface ServiceFollower {
  /** All that is known of the service; from now on changes are followed. */
  onResync(records: readonly ServiceRecord[]): void;
  /** A version of the service as it is now, or as it last was. */
  onChange(record: ServiceRecord, isGone: boolean): void;
  /** The watcher ended: changes may be missed until the next resync. */
  onLost(): void;
}

/** Watches one service until `signal` aborts, beginning again whenever the watcher ends. Never rejects. */
export async function followService(
  registry: Registry,
  service: string,
  follower: ServiceFollower,
  signal: AbortSignal,
  logger: Logger,
): Promise<void> {
  let pauseMs = firstPauseMs;
  await pause(headStartMs, { signal, keepsAlive: false });
  while (!signal.aborted) {
    let watcher: Watcher | undefined;
    const end = () => void watcher?.close();
    try {
      const watching = registry.watch({ service, signal });
      // Also where the registry does not heed the signal nothing waits for it; a watcher that comes too late is closed.
      watching.then(
        (late) => void (signal.aborted && late.close()),
        () => {},
      );
      watcher = await abortable(watching, signal, registry.name);
      // Whoever aborts tells those who listen, and that watcher may have come a moment before.
      if (signal.aborted) return;
      signal.addEventListener('abort', end, { once: true });
      for (let event = await watcher.receive(); event !== undefined; event = await watcher.receive()) {
        pauseMs = firstPauseMs;
        const beganAt = performance.now();
        if (event.type === 'resync') follower.onResync(event.services.filter(({ name }) => name === service));
        else if (event.service.name === service) follower.onChange(event.service, event.type === 'delete');
        // A change costs as much as the service has nodes. Where they come without end, calls go first.
        const tookMs = performance.now() - beganAt;
        if (tookMs >= costlyMs)
          await pause(Math.min(tookMs * restPerChange, longestRestMs), { signal, keepsAlive: false });
      }
    } catch (error) {
      if (!signal.aborted) logger.warn('registry watch failed', { service, error, retryMs: pauseMs });
      if (MicroError.is(error, 'unsupported')) return;
    } finally {
      signal.removeEventListener('abort', end);
      follower.onLost();
      end();
    }
    await pause(pauseMs * (0.5 + Math.random()), { signal, keepsAlive: false });
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

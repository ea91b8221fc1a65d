import type { ConcurrencyLimiter } from './concurrency-limiter.ts';
import type { Routes } from './routes.ts';

/** The answer of `Debug.Stats`; times in seconds, sizes in bytes. (Go Micro: `debug/handler`.) */
interface DebugStats {
  readonly timestamp: number;
  readonly started: number;
  readonly uptime: number;
  readonly memory: number;
  readonly threads: number;
  readonly gc: number;
  readonly requests: number;
  readonly errors: number;
}

/** Adds the endpoints that Go Micro's tools ask of every service; they are not advertised. */
export function addDebugHandlers(routes: Routes, limiter: ConcurrencyLimiter): void {
  const startedAt = Date.now();
  const beganAt = performance.now();
  const internal = { internal: true };
  routes.addUnary('Debug.Health', () => ({ status: 'ok' }), internal);
  routes.addUnary(
    'Debug.Stats',
    (): DebugStats => ({
      timestamp: Math.floor(Date.now() / 1000),
      started: Math.floor(startedAt / 1000),
      uptime: Math.floor((performance.now() - beganAt) / 1000),
      memory: process.memoryUsage().heapUsed,
      threads: 1,
      gc: 0,
      requests: limiter.requests,
      errors: limiter.errors,
    }),
    internal,
  );
}

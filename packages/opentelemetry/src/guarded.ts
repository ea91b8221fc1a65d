import { diag } from '@opentelemetry/api';
import { ignoreRejection } from '@ts-micro/kit';

/**
 * Runs what reaches into an SDK, or into what a user gave it, so that no failure there harms a call. `undefined` where
 * it threw, and where it gave a promise, for which no call waits.
 */
export function guarded<T>(action: () => T): T | undefined {
  try {
    const result = action();
    return ignoreRejection(result) ? undefined : result;
  } catch (error) {
    try {
      diag.error('@ts-micro/opentelemetry: telemetry failed', error);
    } catch {
      // There is nobody left to tell.
    }
    return undefined;
  }
}

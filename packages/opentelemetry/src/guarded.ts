import { diag } from '@opentelemetry/api';

/** Runs what reaches into an SDK, or into what a user gave it, so that no failure there harms a call. */
export function guarded<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    try {
      diag.error('@ts-micro/opentelemetry: telemetry failed', error);
    } catch {
      // There is nobody left to tell.
    }
    return undefined;
  }
}

import { abortError, type MicroError } from '@ts-micro/core';
import { abortFanOut } from '@ts-micro/kit';

export interface Wait {
  readonly signal: AbortSignal | undefined;
  /** The subject of an aborted wait: `nats: flush`. */
  readonly what: string;
  readonly timeoutMs?: number | undefined;
  onTimeout(): MicroError;
}

/** Waits that one event ends all at once; each also ends by its own deadline or signal. */
export class WaitList {
  readonly #waits = new Set<(error?: MicroError) => void>();

  /** `begin` is handed what ends this one wait. */
  add(
    { signal, what, timeoutMs, onTimeout }: Wait,
    begin?: (settle: (error?: MicroError) => void) => void,
  ): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const waiting = { onAbort: () => settle(abortError(signal as AbortSignal, what)) };
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => settle(onTimeout()), timeoutMs);
      const settle = (error?: MicroError) => {
        clearTimeout(timer);
        if (signal) abortFanOut.delete(signal, waiting);
        this.#waits.delete(settle);
        if (error) reject(error);
        else resolve();
      };
      if (signal) abortFanOut.add(signal, waiting);
      this.#waits.add(settle);
      begin?.(settle);
    });
  }

  settleAll(error?: MicroError): void {
    for (const settle of [...this.#waits]) settle(error);
  }
}

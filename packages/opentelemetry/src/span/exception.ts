import type { Exception } from '@opentelemetry/api';
import { MicroError } from '@ts-micro/core';

/** Returns whatever was thrown as an exception to record. Never throws. */
export function exceptionOf(thrown: unknown): Exception {
  const message = MicroError.textOf(thrown);
  try {
    const { name, stack } = thrown as { name?: unknown; stack?: unknown };
    return {
      name: typeof name === 'string' ? name : 'Error',
      message,
      ...(typeof stack === 'string' && { stack }),
    };
  } catch {
    return { name: 'Error', message };
  }
}

import type { Exception } from '@opentelemetry/api';
import { MicroError } from '@ts-micro/core';
import { shortText } from './short-text.ts';

const longestStack = 10_000;

/** Returns whatever was thrown as an exception to record. Never throws. */
export function exceptionOf(thrown: unknown): Exception {
  const message = shortText(MicroError.textOf(thrown));
  try {
    const { name, stack } = thrown as { name?: unknown; stack?: unknown };
    return {
      name: typeof name === 'string' ? shortText(name) : 'Error',
      message,
      ...(typeof stack === 'string' && { stack: shortText(stack, longestStack) }),
    };
  } catch {
    return { name: 'Error', message };
  }
}

import { MicroError } from '@ts-micro/core';
import type { Trace } from './trace.ts';

type Method = (...values: unknown[]) => unknown;

/**
 * The same object, its calls and what comes of them written to `trace`; so are the objects it opens and the handlers it
 * is given.
 *
 * Nothing else changes: arguments and results are handed on as they are.
 */
export function record<T extends object>(target: T, name: string, trace: Trace): T {
  const methods = new Map<PropertyKey, Method>();
  const counts = new Map<string, number>();

  const child = (label: string): string => {
    const count = (counts.get(label) ?? 0) + 1;
    counts.set(label, count);
    return `${name}.${label}${count}`;
  };

  const wrapResult = (label: string, result: unknown): unknown => {
    if (!opened(result)) {
      if (result !== undefined) trace.add(`${name}.${label} -> ${describe(result)}`);
      return result;
    }
    const childName = child(label);
    trace.add(`${name}.${label} -> ${childName}`);
    return record(result, childName, trace);
  };

  const wrapHandler = (label: string, handler: Method): Method => {
    return (first, ...rest) => {
      trace.add(`${name}.${label} <- ${opened(first) ? 'a socket' : describe(first)}`);
      return handler(opened(first) ? record(first, child('socket'), trace) : first, ...rest);
    };
  };

  const wrapMethod = (label: string, method: Method): Method => {
    return (...values) => {
      const settled = trace.begin(`${name}.${label}(${values.map(describe).join(', ')})`);
      const handed = values.map((value) => (typeof value === 'function' ? wrapHandler(label, value as Method) : value));
      let result: unknown;
      try {
        result = method.apply(target, handed);
      } catch (error) {
        settled();
        trace.add(`${name}.${label} throws ${describe(error)}`);
        throw error;
      }
      if (!(result instanceof Promise)) {
        settled();
        return wrapResult(label, result);
      }
      const recorded = result.then(
        (value) => {
          settled();
          return wrapResult(label, value);
        },
        (error) => {
          settled();
          trace.add(`${name}.${label} rejects ${describe(error)}`);
          throw error;
        },
      );
      // A case may wait for it later, or no more once it has failed: the backend left nothing unheard.
      recorded.catch(() => {});
      return recorded;
    };
  };

  return new Proxy(target, {
    get(_, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      let method = methods.get(key);
      if (method === undefined) {
        // An iterator is handed out unrecorded: what it yields shows in the peer's lines.
        method =
          key === Symbol.asyncIterator
            ? (value as Method).bind(target)
            : wrapMethod(typeof key === 'symbol' ? (key.description ?? 'symbol') : key, value as Method);
        methods.set(key, method);
      }
      return method;
    },
  });
}

function opened(value: unknown): value is object {
  return typeof value === 'object' && value !== null && 'closed' in value && 'close' in value;
}

function describe(value: unknown): string {
  if (typeof value === 'string') return shorten(JSON.stringify(value));
  if (typeof value === 'function') return 'handler';
  if (typeof value !== 'object' || value === null) return String(value);
  if (MicroError.is(value)) return `${value.code}: ${value.message}`;
  if (value instanceof Error) return String(value);
  return shorten(JSON.stringify(value, plain) ?? 'nothing');
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) {
    const text = Buffer.from(value.subarray(0, 32)).toString('latin1');
    return `${value.length} bytes ${text}${value.length > 32 ? '...' : ''}`;
  }
  if (value instanceof AbortSignal) return value.aborted ? 'aborted signal' : 'signal';
  return typeof value === 'function' ? 'handler' : value;
}

function shorten(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}...` : text;
}

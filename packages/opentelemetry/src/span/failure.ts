import { MicroError } from '@ts-micro/core';
import { errorOfThrown } from '@ts-micro/service';

/** How an operation failed, in the words of telemetry. */
export interface Failure {
  /** The value of `error.type`; one of few. */
  readonly type: string;
  /** The value of `rpc.status_code`, where the service answered. */
  readonly status: string | undefined;
  readonly message: string;
}

/** Returns what a client's call, stream or publish failed with: the code, or the number in the service's answer. */
export function clientFailure(thrown: unknown): Failure {
  const message = MicroError.textOf(thrown);
  if (!MicroError.is(thrown)) return { type: '_OTHER', status: undefined, message };
  const { code, remote } = thrown;
  const status = remote === undefined ? undefined : statusText(remote.code);
  return { type: code === 'remote' ? (status ?? 'remote') : code, status, message };
}

/** Returns what a handler failed with: the number that its caller is answered. */
export function serverFailure(thrown: unknown): Failure & { readonly isCrash: boolean } {
  const { code, detail } = errorOfThrown(thrown, '');
  const status = statusText(code);
  return { type: status ?? '_OTHER', status, message: detail, isCrash: status === undefined || code >= 500 };
}

/** A peer may answer with any number; those that are no status are left out, as each would be a time series. */
function statusText(code: number): string | undefined {
  return code >= 100 && code <= 599 ? String(code) : undefined;
}

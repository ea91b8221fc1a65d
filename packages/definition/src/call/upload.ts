import { MicroError } from '@ts-micro/core';
import { callSafely } from '@ts-micro/kit';
import type { MessageStream } from '@ts-micro/service';

/**
 * Sends what there is, ends, and resolves with the one response; closes the stream in any case. Where the service is
 * done before, or the stream ends, what is left is not asked for. Rejects with what the requests throw, and as the
 * stream does.
 */
export async function upload(
  what: string,
  stream: MessageStream,
  requests: Iterable<unknown> | AsyncIterable<unknown>,
): Promise<unknown> {
  try {
    if (await sendAll(stream, requests)) await stream.end();
    const response = await stream.receive();
    if (response !== undefined) return response;
    throw new MicroError('malformed', `${what}: the stream ended without a response`);
  } finally {
    await stream.close();
  }
}

/** Throws `invalid` for requests that are no iterable, before anything is opened for them. */
export function checkRequests(what: string, requests: unknown): void {
  const isObject = typeof requests === 'object' && requests !== null;
  if (isObject && (Symbol.asyncIterator in requests || Symbol.iterator in requests)) return;
  throw new MicroError('invalid', `${what}: the requests are no iterable`);
}

/** Resolves with false where the stream was over first, for then `receive` says why. */
async function sendAll(stream: MessageStream, requests: Iterable<unknown> | AsyncIterable<unknown>): Promise<boolean> {
  const iterator = iteratorOf(requests);
  const { sendSignal } = stream;
  let isOver = sendSignal?.aborted ?? false;
  let wake: (() => void) | undefined;
  const onOver = () => {
    isOver = true;
    wake?.();
  };
  // An answer that comes early is not received yet, and the stream not closed.
  sendSignal?.addEventListener('abort', onOver, { once: true });
  void stream.closed.then(onOver);
  let isDone = false;
  try {
    while (!isOver) {
      // Whoever gives the requests may take for ever, and the stream may end meanwhile.
      const next = await new Promise<IteratorResult<unknown> | undefined>((resolve, reject) => {
        wake = () => resolve(undefined);
        Promise.resolve(iterator.next()).then(resolve, reject);
      });
      if (next === undefined) break;
      isDone = next.done ?? false;
      if (isDone) return !isOver;
      await stream.send(next.value).catch((error) => {
        if (!MicroError.is(error, 'closed')) throw error;
        isOver = true;
      });
    }
    return false;
  } finally {
    sendSignal?.removeEventListener('abort', onOver);
    // Not awaited: it may be in the middle of something.
    if (!isDone)
      callSafely(
        () => iterator.return?.(),
        () => {},
      );
  }
}

function iteratorOf(values: Iterable<unknown> | AsyncIterable<unknown>): Iterator<unknown> | AsyncIterator<unknown> {
  return Symbol.asyncIterator in values ? values[Symbol.asyncIterator]() : values[Symbol.iterator]();
}

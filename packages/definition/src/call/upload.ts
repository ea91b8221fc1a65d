import { MicroError } from '@ts-micro/core';
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

/** Resolves with false where the stream was over first, for then `receive` says why. */
async function sendAll(stream: MessageStream, requests: Iterable<unknown> | AsyncIterable<unknown>): Promise<boolean> {
  const iterator = iteratorOf(requests);
  let isOver = false;
  let wake: (() => void) | undefined;
  void stream.closed.then(() => {
    isOver = true;
    wake?.();
  });
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
    // Not awaited: it may be in the middle of something.
    if (!isDone) void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

function iteratorOf(values: Iterable<unknown> | AsyncIterable<unknown>): Iterator<unknown> | AsyncIterator<unknown> {
  return Symbol.asyncIterator in values ? values[Symbol.asyncIterator]() : values[Symbol.iterator]();
}

import { MicroError } from '@ts-micro/core';
import { type MessageStream, type RequestContext, refuse, type StreamHandler } from '@ts-micro/service';
import type { EndpointKind } from '../define/endpoint.ts';
import { CheckedStream } from '../validate/checked-stream.ts';
import { LeavableReader } from '../validate/leavable-reader.ts';
import { requestCheck, responseCheck, type ServedEndpoint } from './endpoint-checks.ts';
import { failOf } from './typed-error.ts';

type StreamKind = Exclude<EndpointKind, 'unary'>;
type TypedHandler = (request: unknown, context: RequestContext, fail: unknown) => unknown;
type Conversation = (stream: MessageStream, run: (request: unknown) => unknown, what: string) => Promise<void>;

/** A typed handler of a stream as the service runs it. */
export function streamHandler(served: ServedEndpoint, kind: StreamKind, handler: TypedHandler): StreamHandler {
  const fail = failOf(served.service, served.what, served.endpoint);
  const checks = { what: served.what, send: responseCheck(served), receive: requestCheck(served) };
  const converse = conversations[kind];
  return (inner, context) => {
    const stream = new CheckedStream(inner, { ...checks, limits: [context] });
    return converse(stream, (request) => handler(request, context, fail), served.what);
  };
}

const conversations: Readonly<Record<StreamKind, Conversation>> = {
  async serverStream(stream, run, what) {
    const request = await stream.receive();
    if (request === undefined) throw refuse('invalid', `${what}: the stream ended without a request`);
    const values = run(request);
    if (!isIterable(values)) throw new MicroError('internal', `${what}: the handler gave no iterable of responses`);
    await sendAll(stream, values);
  },
  async clientStream(stream, run) {
    await stream.send(await run(requestsOf(stream)));
  },
  async bidiStream(stream, run) {
    const result = await run(stream);
    if (isAsyncIterable(result)) await sendAll(stream, result);
  },
};

async function sendAll(stream: MessageStream, values: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
  for await (const value of values) await stream.send(value);
}

/** The messages of the client, to the end. Leaving early leaves the stream open for the response. */
function requestsOf(stream: MessageStream): AsyncIterableIterator<unknown, void, undefined> {
  return new LeavableReader({
    next: async () => {
      const value = await stream.receive();
      return { value, done: value === undefined };
    },
    finish: () => {},
    leave: () => {},
  });
}

function isIterable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return (
    isAsyncIterable(value) || typeof (value as Iterable<unknown> | null | undefined)?.[Symbol.iterator] === 'function'
  );
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

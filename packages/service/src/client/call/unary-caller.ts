import { type Headers, MicroError } from '@ts-micro/core';
import type { MiddlewareCall } from '../../middleware.ts';
import { encodeBody } from '../../rpc/codec/codec.ts';
import { codecForNode } from '../../rpc/codec/codecs.ts';
import { dialectOfNode } from '../../rpc/dialects.ts';
import type { CallOptions, ClientSettings } from '../client-options.ts';
import type { Attempts } from '../retry/attempts.ts';
import { PendingCall } from './pending-call.ts';
import type { RequestIds } from './request-ids.ts';

/** Makes unary calls: one request, one reply, on a socket that nobody else uses meanwhile. */
export class UnaryCaller {
  readonly #settings: ClientSettings;
  readonly #attempts: Attempts;
  readonly #ids: RequestIds;

  constructor(settings: ClientSettings, attempts: Attempts, ids: RequestIds) {
    this.#settings = settings;
    this.#attempts = attempts;
    this.#ids = ids;
  }

  async call(
    service: string,
    endpoint: string,
    request: unknown,
    options: CallOptions | undefined,
    metadata: Headers | undefined,
    seen?: Pick<MiddlewareCall, 'node'>,
  ): Promise<unknown> {
    const settings = this.#settings;
    const attempts = this.#attempts;
    const call = new PendingCall(settings, service, endpoint, options, attempts.clock.now());
    const accept = options?.contentType ?? settings.contentType;
    attempts.enter(call);
    try {
      for (;;) {
        try {
          const chosen = attempts.target(call);
          // Awaited only where it must be: the usual attempt waits for its reply alone.
          const isLate = chosen instanceof Promise;
          const candidate = isLate ? await chosen : chosen;
          call.candidate = candidate;
          const { node } = candidate;
          if (seen !== undefined) seen.node = node;
          const { codec, contentType } = codecForNode(options?.codecs ?? settings.codecs, accept, node.metadata);
          const dialect = dialectOfNode(node.metadata, settings.dialect);
          const id = this.#ids.next();
          const message = dialect.request({
            service,
            endpoint,
            id,
            contentType,
            accept,
            body: encodeBody(codec, request, { kind: 'request', name: endpoint, id }),
            timeoutMs: isLate ? call.remainingMs(attempts.clock.now()) : call.limitMs,
            metadata,
          });
          const pool = attempts.pools.of(node.address);
          const idle = pool.take(call.beganAtMs - settings.poolIdleMs);
          call.isReused = idle !== undefined;
          const socket = idle ?? (await attempts.dial(call, candidate));
          call.socket = socket;
          call.stage = 'sending';
          await socket.send(message);
          call.stage = 'waiting';
          let reply = await socket.receive();
          while (reply !== undefined && !dialect.isReplyTo(reply, id)) reply = await socket.receive();
          if (reply === undefined) throw call.isCut ? call.cutError() : noReply(call);
          if (call.settle()) pool.give(socket, call.beganAtMs);
          attempts.succeed(candidate);
          return dialect.value(reply, codec, { kind: 'response', name: endpoint, id }, service);
        } catch (error) {
          await attempts.fail(call, error);
        }
      }
    } finally {
      attempts.leave(call);
    }
  }
}

function noReply(call: PendingCall): MicroError {
  return new MicroError('unavailable', `${call.what}: the peer closed the socket without an answer`);
}

import { type Headers, MicroError } from '@ts-micro/core';
import type { AttemptNotes } from '../../middleware.ts';
import { encodeBody } from '../../rpc/codec/codec.ts';
import { codecForNode } from '../../rpc/codec/codecs.ts';
import { dialectOfNode } from '../../rpc/dialects.ts';
import type { CallOptions } from '../client-options.ts';
import type { Attempts } from '../retry/attempts.ts';
import { PendingCall } from './pending-call.ts';

/** The request of a unary call. */
export interface UnaryRequest {
  readonly payload: unknown;
  readonly metadata: Headers | undefined;
  readonly notes?: AttemptNotes | undefined;
}

/** A unary call: one request, one reply, on a socket that nobody else uses meanwhile. */
export class UnaryCall extends PendingCall {
  readonly #attempts: Attempts;
  readonly #request: UnaryRequest;

  constructor(
    attempts: Attempts,
    service: string,
    endpoint: string,
    request: UnaryRequest,
    options: CallOptions | undefined,
  ) {
    super(attempts.settings, service, endpoint, options, attempts.clock.now(), request.notes);
    this.#attempts = attempts;
    this.#request = request;
  }

  async attempt(): Promise<unknown> {
    const { service, endpoint, options } = this;
    const { settings, clock, ids, pools } = this.#attempts;
    const chosen = this.#attempts.target(this);
    // Awaited only where it must be: the usual attempt waits for its reply alone.
    const isLate = chosen instanceof Promise;
    const { node } = isLate ? await chosen : chosen;
    const { payload, metadata } = this.#request;
    if (this.notes !== undefined) this.notes.node = node;
    const accept = options?.contentType ?? settings.contentType;
    const { codec, contentType } = codecForNode(options?.codecs ?? settings.codecs, accept, node.metadata);
    const dialect = dialectOfNode(node.metadata, settings.dialect);
    const id = ids.next();
    const message = dialect.request({
      service,
      endpoint,
      id,
      contentType,
      accept,
      body: encodeBody(codec, payload, { kind: 'request', name: endpoint, id }),
      timeoutMs: isLate ? this.remainingMs(clock.now()) : this.limitMs,
      metadata,
    });
    const pool = pools.of(node.address);
    const idle = pool.take(this.beganAtMs - settings.poolIdleMs);
    const socket = idle ?? (await this.#attempts.dial(this, node));
    this.sendOn(socket, idle !== undefined);
    await socket.send(message);
    this.sent();
    let reply = await socket.receive();
    while (reply !== undefined && !dialect.isReplyTo(reply, id)) reply = await socket.receive();
    if (reply === undefined) throw this.isCut ? this.cutError() : noReply(this);
    if (this.settle()) pool.give(socket, this.beganAtMs);
    this.#attempts.answered(node.address);
    return dialect.value(reply, codec, { kind: 'response', name: endpoint, id }, service);
  }
}

function noReply(call: PendingCall): MicroError {
  return new MicroError('unavailable', `${call.what}: the peer closed the socket without an answer`);
}

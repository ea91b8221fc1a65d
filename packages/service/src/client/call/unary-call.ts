import { type Headers, type Message, MicroError, type Socket } from '@ts-micro/core';
import type { AttemptNotes } from '../../middleware.ts';
import { type Codec, type CodecUse, encodeBody } from '../../rpc/codec/codec.ts';
import { codecForNode } from '../../rpc/codec/codecs.ts';
import type { Dialect } from '../../rpc/dialect.ts';
import { dialectOfNode } from '../../rpc/dialects.ts';
import type { CallOptions } from '../client-options.ts';
import type { Candidate } from '../discovery/selector.ts';
import type { SocketPool } from '../pool/socket-pool.ts';
import type { Attempts } from '../retry/attempts.ts';
import { PendingCall } from './pending-call.ts';

/** The request of a unary call. */
export interface UnaryRequest {
  readonly payload: unknown;
  readonly metadata: Headers | undefined;
  readonly notes?: AttemptNotes | undefined;
}

/** A request as it goes to one node, and what reads its answer. */
interface WrittenRequest {
  readonly message: Message;
  readonly dialect: Dialect;
  readonly codec: Codec;
  readonly use: CodecUse;
  readonly pool: SocketPool;
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

  attempt(): Promise<unknown> {
    try {
      const chosen = this.#attempts.target(this);
      // Awaited only where it must be: the usual attempt waits for its reply alone.
      return chosen instanceof Promise
        ? chosen.then((candidate) => this.#callAt(candidate, true))
        : this.#callAt(chosen, false);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #callAt({ node }: Candidate, isLate: boolean): Promise<unknown> {
    const { service, endpoint, options } = this;
    const { settings, clock, ids, pools } = this.#attempts;
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
    const use: CodecUse = { kind: 'response', name: endpoint, id };
    if (idle === undefined) {
      const dialled = this.#attempts.dial(this, node);
      return dialled.then((socket) => this.#exchange(socket, false, { message, dialect, codec, use, pool }));
    }
    return this.#exchange(idle, true, { message, dialect, codec, use, pool });
  }

  /** Sends and waits for the answer: all that is kept meanwhile, in the one async function of a usual attempt. */
  async #exchange(socket: Socket, isReused: boolean, written: WrittenRequest): Promise<unknown> {
    this.sendOn(socket, isReused);
    await socket.send(written.message);
    this.sent();
    let reply = await socket.receive();
    const { dialect, codec, use, pool } = written;
    while (reply !== undefined && !dialect.isReplyTo(reply, use.id as string)) reply = await socket.receive();
    if (reply === undefined) throw this.isCut ? this.cutError() : noReply(this);
    if (this.settle()) pool.give(socket, this.beganAtMs);
    this.#attempts.answered(pool.address);
    return dialect.value(reply, codec, use, this.service);
  }
}

function noReply(call: PendingCall): MicroError {
  return new MicroError('unavailable', `${call.what}: the peer closed the socket without an answer`);
}

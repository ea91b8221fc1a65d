import type { Headers } from '@ts-micro/core';
import type { AttemptNotes } from '../../middleware.ts';
import { encodeBody } from '../../rpc/codec/codec.ts';
import { codecForNode } from '../../rpc/codec/codecs.ts';
import { dialectOfNode } from '../../rpc/dialects.ts';
import { checkTime, type StreamOptions } from '../client-options.ts';
import type { Attempts } from '../retry/attempts.ts';
import type { ClientStream, OpenedStream } from './client-stream.ts';
import { PendingCall } from './pending-call.ts';

/** The opening of a stream: over once its opener is handed to the transport. */
export class StreamCall extends PendingCall<ClientStream> {
  readonly #attempts: Attempts;
  readonly #streamOptions: StreamOptions | undefined;
  readonly #metadata: Headers | undefined;
  readonly #idleMs: number;
  readonly #begin: (opened: OpenedStream) => ClientStream;

  /** Throws `invalid`. */
  constructor(
    attempts: Attempts,
    service: string,
    endpoint: string,
    options: StreamOptions | undefined,
    metadata: Headers | undefined,
    notes: AttemptNotes,
    begin: (opened: OpenedStream) => ClientStream,
  ) {
    super(attempts.settings, service, endpoint, options, attempts.clock.now(), notes);
    this.#attempts = attempts;
    this.#streamOptions = options;
    this.#metadata = metadata;
    this.#begin = begin;
    this.#idleMs = options?.streamIdleMs ?? attempts.settings.streamIdleMs;
    checkTime('streamIdleMs', this.#idleMs);
  }

  async attempt(): Promise<ClientStream> {
    const { service, endpoint } = this;
    const options = this.#streamOptions;
    const { settings, clock, ids } = this.#attempts;
    const { node } = await this.#attempts.target(this);
    if (this.notes !== undefined) this.notes.node = node;
    const accept = options?.contentType ?? settings.contentType;
    const wire = codecForNode(options?.codecs ?? settings.codecs, accept, node.metadata);
    const dialect = dialectOfNode(node.metadata, settings.dialect);
    const id = ids.next();
    const request = {
      service,
      endpoint,
      id,
      contentType: wire.contentType,
      accept,
      isStream: true,
      metadata: this.#metadata,
      // A stream lives as long as it is used, unless who asked us stops waiting at some time.
      timeoutMs: options?.context?.deadline === undefined ? undefined : this.remainingMs(clock.now()),
    };
    // What an opener carries is ignored by every server; the empty value is what Go's stubs send.
    const body = encodeBody(wire.codec, undefined, { kind: 'request', name: endpoint, id });
    const socket = await this.#attempts.dial(this, node);
    this.sendOn(socket, false);
    // Whoever has much to read is told of the end by the close that follows it.
    const isLast = socket.peerClosed !== undefined;
    await socket.send(dialect.request({ ...request, body, isLast }));
    if (this.isCut) throw this.cutError();
    this.settle();
    return this.#begin({
      what: this.what,
      service,
      address: node.address,
      socket,
      dialect,
      wire,
      request,
      idleMs: this.#idleMs,
      signals: [options?.signal, options?.context?.signal].filter((signal) => signal !== undefined),
    });
  }
}

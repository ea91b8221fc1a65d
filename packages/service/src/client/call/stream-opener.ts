import type { Headers } from '@ts-micro/core';
import type { AttemptNotes } from '../../middleware.ts';
import type { MessageStream } from '../../stream/message-stream.ts';
import type { StreamOptions } from '../client-options.ts';
import type { Attempts } from '../retry/attempts.ts';
import { ClientStream, type OpenedStream } from './client-stream.ts';
import { StreamCall } from './stream-call.ts';

/** Opens streams, and closes those that are open. */
export class StreamOpener {
  readonly #attempts: Attempts;
  readonly #open = new Set<ClientStream>();

  constructor(attempts: Attempts) {
    this.#attempts = attempts;
  }

  /** Resolves once the opener is handed to the transport; attempts follow each other until then. */
  async open(
    service: string,
    endpoint: string,
    options: StreamOptions | undefined,
    metadata: Headers | undefined,
    notes: AttemptNotes,
  ): Promise<MessageStream> {
    const attempts = this.#attempts;
    const begin = (opened: OpenedStream) => this.#begin(opened);
    const { stream } = await attempts.run(new StreamCall(attempts, service, endpoint, options, metadata, notes, begin));
    return stream;
  }

  // Before its call is over: who closes the client waits for the calls, and then closes all streams that there are.
  #begin(opened: OpenedStream): ClientStream {
    const stream = new ClientStream(opened, this.#attempts, (released) => this.#open.delete(released));
    this.#open.add(stream);
    return stream;
  }

  /** Closes every open stream. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#open, ({ stream }) => stream.close()));
  }
}

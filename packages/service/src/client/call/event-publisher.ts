import { randomUUID } from 'node:crypto';
import { type Headers, MicroError } from '@ts-micro/core';
import { abortFanOut } from '@ts-micro/kit';
import { encodeBody } from '../../rpc/codec/codec.ts';
import { eventMessage, plainEventMessage } from '../../rpc/go-micro/event.ts';
import type { ClientSettings, EventOptions } from '../client-options.ts';

/**
 * Publishes one event, with the headers that Go Micro's subscribers expect unless the broker has none. Rejects with
 * `unsupported` without a broker or codec, `timeout` where the incoming request's deadline has passed, and as the
 * broker does.
 */
export function publishEvent(
  settings: ClientSettings,
  topic: string,
  event: unknown,
  options: EventOptions | undefined,
  metadata: Headers | undefined,
): Promise<void> {
  // No async function: the broker's promise is all there is to wait for.
  try {
    const { broker } = settings;
    const codecs = options?.codecs ?? settings.codecs;
    if (broker === undefined)
      throw new MicroError(
        'unsupported',
        `client: publishing on "${topic}" needs a broker, and the client was made without one`,
      );
    if (isPast(options?.context?.deadline))
      throw new MicroError('timeout', `client: publishing on "${topic}": the incoming request's deadline has passed`, {
        retrySafe: true,
      });
    const contentType = options?.contentType ?? settings.contentType;
    const codec = codecs.get(contentType);
    if (codec === undefined)
      throw new MicroError('unsupported', `client: no codec for content type "${contentType}" of topic "${topic}"`);
    const id = broker.supports.plainEvents ? undefined : randomUUID();
    const body = encodeBody(codec, event, { kind: 'event', name: topic, id });
    const message =
      id === undefined
        ? plainEventMessage({ contentType, body, metadata })
        : eventMessage({ topic, id, contentType, body, metadata });
    const own = options?.signal;
    const incoming = options?.context?.signal;
    if (own !== undefined && incoming !== undefined)
      return underBoth(own, incoming, (signal) => broker.publish(topic, message, { signal }));
    const signal = own ?? incoming;
    return broker.publish(topic, message, signal && { signal });
  } catch (error) {
    // A broker of the user's own may throw where it should reject.
    return Promise.reject(MicroError.from(error, 'internal', `client: publishing on "${topic}"`));
  }
}

function isPast(deadline: number | undefined): boolean {
  return deadline !== undefined && deadline <= Date.now();
}

/** Not by `AbortSignal.any`: that leaves something at a signal which lives as long as the process. */
function underBoth(
  own: AbortSignal,
  incoming: AbortSignal,
  publish: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const either = new AbortController();
  const ending = { onAbort: ({ reason }: AbortSignal) => either.abort(reason) };
  const signals = [own, incoming];
  const leave = () => {
    for (const signal of signals) abortFanOut.delete(signal, ending);
  };
  for (const signal of signals) {
    if (signal.aborted) ending.onAbort(signal);
    abortFanOut.add(signal, ending);
  }
  try {
    return Promise.resolve(publish(either.signal)).finally(leave);
  } catch (error) {
    leave();
    throw error;
  }
}

import { randomUUID } from 'node:crypto';
import { type Headers, MicroError } from '@ts-micro/core';
import { encodeBody } from '../../rpc/codec/codec.ts';
import { eventMessage, plainEventMessage } from '../../rpc/go-micro/event.ts';
import type { ClientSettings, EventOptions } from '../client-options.ts';

/**
 * Publishes one event, with the headers that Go Micro's subscribers expect unless the broker has none. Rejects with
 * `unsupported` without a broker or codec, and as the broker does.
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
    return broker.publish(topic, message, options?.signal && { signal: options.signal });
  } catch (error) {
    // A broker of the user's own may throw where it should reject.
    return Promise.reject(MicroError.from(error, 'internal', `client: publishing on "${topic}"`));
  }
}

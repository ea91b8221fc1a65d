/**
 * The author of an error answer.
 *
 * - `handler` what a handler answered, whatever it relays: final, never tried again
 * - `refused` the runtime, about this request, and no handler ran
 * - `failed` the runtime, about this request, whose handler may have run
 *
 * Only the runtime's own words are marked, by a header beside the text. A handler sets no headers of its answer and
 * the mark is no part of an error's text, so that nothing that is relayed can carry it.
 */
export type ErrorOrigin = 'handler' | 'refused' | 'failed';

/** The text of an error answer, and who speaks in it. */
export interface ErrorAnswer {
  readonly text: string;
  readonly origin: ErrorOrigin;
}

/** Reads a mark; anything that is none stands for a handler. */
export function originOf(mark: string | undefined): ErrorOrigin {
  return mark === 'refused' || mark === 'failed' ? mark : 'handler';
}

import type { AbortOptions, Headers } from '@ts-micro/core';

/** A request that came to a service by another way than its transport. */
export interface InvokeRequest {
  /** Written in `contentType`. Not copied: leave it unchanged until the answer is there. */
  readonly body: Uint8Array;
  /** Names the codec that reads the request and writes the answer. @default 'application/json' */
  readonly contentType?: string | undefined;
  /** The metadata that the handler sees; names of the transport level (`Timeout`, `Micro-...`) are left out. */
  readonly metadata?: Headers | undefined;
}

export interface InvokeOptions extends AbortOptions {
  /** How long the caller waits, in milliseconds. @default as long as the handler takes */
  readonly timeoutMs?: number | undefined;
  /** The `context.local` of the handler: where the request came to. @default '' */
  readonly local?: string | undefined;
  /** The `context.remote` of the handler: where the answer goes to. @default '' */
  readonly remote?: string | undefined;
  /** Who asks: where there is no room, the requests of one peer wait behind one another. @default `remote` */
  readonly peer?: string | undefined;
}

/** The answer of a handler, in the content type of the request. */
export interface InvokeResponse {
  readonly contentType: string;
  readonly body: Uint8Array;
}

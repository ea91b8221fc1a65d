import type { ReceivedHeaders } from '../headers.ts';

/** The part of the NATS client's message that is used. */
export interface VendorMessage {
  readonly subject: string;
  readonly reply?: string;
  readonly data: Uint8Array;
  readonly headers?: ReceivedHeaders;
}

/** The part of the NATS client's subscription that is used. */
export interface VendorSubscription {
  getID(): number;
  isClosed(): boolean;
  drain(): Promise<void>;
  unsubscribe(): void;
}

/**
 * The part of the NATS client's connection that is used: `nats` 2.x and `@nats-io/*` 3.x both have it, so one interface
 * takes either.
 *
 * Methods, not properties, so that the parameters of both generations' types fit.
 */
export interface VendorConnection {
  /** What it was made with: not part of the client's types. */
  readonly options?: { readonly inboxPrefix?: string | undefined } | undefined;
  readonly info?: { readonly max_payload: number; readonly headers?: boolean; readonly connect_urls?: string[] };
  // biome-ignore lint/suspicious/noExplicitAny: the two generations' option types have no common one.
  publish(subject: string, payload?: Uint8Array, options?: any): void;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  subscribe(subject: string, options?: any): VendorSubscription;
  flush(): Promise<void>;
  drain(): Promise<void>;
  close(): Promise<void>;
  // biome-ignore lint/suspicious/noConfusingVoidType: it is what the client declares.
  closed(): Promise<void | Error>;
  isClosed(): boolean;
  isDraining(): boolean;
  getServer(): string;
  reconnect(): Promise<void>;
  status(): AsyncIterable<{ readonly type: string }>;
}

/** The part of the events of `status()` that is used. */
export interface StatusEvent {
  readonly type: string;
  /** `nats` 2.x; of an `error` its code. */
  readonly data?: unknown;
  /** `nats` 2.x. */
  readonly permissionContext?: {
    readonly operation: string;
    readonly subject: string;
    readonly queue?: string | undefined;
  };
  /** `@nats-io/*` 3.x. */
  readonly error?: Error & { readonly operation?: string; readonly subject?: string; readonly queue?: string };
}

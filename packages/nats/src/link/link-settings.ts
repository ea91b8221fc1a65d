import type { Logger, MicroError } from '@ts-micro/core';
import type { MessageWriter, ServerEcho } from '../vendor/vendor-internals.ts';

export interface LinkSettings {
  /** `host:port` of each configured server; empty for a borrowed connection. */
  readonly servers: readonly string[];
  /** Does not count servers that the cluster tells of. @default false */
  readonly ignoreGossip?: boolean;
  readonly inboxPrefix: string;
  readonly connectTimeoutMs: number;
  readonly logger: Logger;
  /**
   * The further abilities of a connection that was made here; without it the link is borrowed and never closes
   * the client's.
   */
  readonly own?: {
    /** The link went stale: let go of its socket. */
    dropStale(): void;
    /** The client's connection was closed: let go of what it may still be dialling. */
    afterClose(): void;
    /**
     * The server, at that `host:port`, is about to leave: true where another address of its name, or another of
     * `known`, takes connections now. Another address is dialled first from now on.
     */
    leaveAddress(server: string, known: readonly string[]): Promise<boolean>;
    /** The server's own words, sent outside any call. */
    readonly echo: ServerEcho;
    /** What the last dial met, since it was last connected. */
    readonly dialFailure: () => MicroError | undefined;
  };
  /** A shorter way than the client's `publish`, where it has one. */
  readonly write: MessageWriter | undefined;
}

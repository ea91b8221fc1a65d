export interface ServiceSettings {
  readonly servers: string;
  readonly id: string;
  /** Where executions are written down. */
  readonly executions: string;
  /** Where events of `chaos.event` are. */
  readonly events?: string | undefined;
  readonly leaseMs?: number | undefined;
  readonly maxConcurrency?: number | undefined;
  /** Of the transport. */
  readonly idleTimeoutMs?: number | undefined;
  readonly maxBacklog?: number | undefined;
  /** Each of its bounds in bytes: of sockets, of streams, of requests that run and that wait, of events. */
  readonly boundBytes?: number | undefined;
  /** Its logger throws at every line. */
  readonly throwsInLogger?: boolean | undefined;
}

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
  /** Its logger throws at every line. */
  readonly throwsInLogger?: boolean | undefined;
}

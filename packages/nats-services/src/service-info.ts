/** What every answer of the services protocol begins with. */
export interface ServiceIdentification {
  readonly name: string;
  readonly id: string;
  readonly version: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface EndpointInfo {
  readonly name: string;
  readonly subject: string;
  readonly queue_group: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What `$SRV.INFO` is answered with. */
export interface ServiceInfo extends ServiceIdentification {
  readonly type: 'io.nats.micro.v1.info_response';
  readonly description: string;
  readonly endpoints: readonly EndpointInfo[];
}

/** Times are in whole nanoseconds. */
export interface EndpointStats extends Omit<EndpointInfo, 'metadata'> {
  readonly num_requests: number;
  readonly num_errors: number;
  /** `404:no such name`; empty where there was none. */
  readonly last_error: string;
  readonly processing_time: number;
  readonly average_processing_time: number;
}

/** What `$SRV.STATS` is answered with. */
export interface ServiceStats extends ServiceIdentification {
  readonly type: 'io.nats.micro.v1.stats_response';
  /** When the service opened, in ISO 8601, UTC. */
  readonly started: string;
  readonly endpoints: readonly EndpointStats[];
}

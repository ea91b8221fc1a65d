/** The header names of Go Micro's RPC protocol, exact and case-sensitive. (Go Micro: `transport/headers`.) */
export const header = {
  service: 'Micro-Service',
  method: 'Micro-Method',
  endpoint: 'Micro-Endpoint',
  /** The request id as v4.10 and later spell it. */
  id: 'Micro-ID',
  /** The request id as versions before v4.10 spell it. */
  oldId: 'Micro-Id',
  stream: 'Micro-Stream',
  error: 'Micro-Error',
  /**
   * ts-micro's own: with an error, that the runtime says it and no handler, see `error-origin.ts`; with a client's
   * message, how it ends a stream, or that it opens none.
   */
  runtime: 'Micro-Runtime',
  topic: 'Micro-Topic',
  protocol: 'Micro-Protocol',
  target: 'Micro-Target',
  fromService: 'Micro-From-Service',
  contentType: 'Content-Type',
  accept: 'Accept',
  timeout: 'Timeout',
  connection: 'Connection',
} as const;

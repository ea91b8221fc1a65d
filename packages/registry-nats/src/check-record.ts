import { MicroError, type ServiceRecord, serviceRecord } from '@ts-micro/core';

/** A complete private copy. Throws `invalid` for what no Go peer would take. */
export function checkedRecord(service: ServiceRecord): ServiceRecord {
  const record = serviceRecord(service);
  // A Go peer drops the whole record where one value is no string.
  for (const { metadata } of [record, ...record.endpoints, ...record.nodes]) {
    for (const [key, value] of Object.entries(metadata)) {
      if (typeof value === 'string') continue;
      throw new MicroError(
        'invalid',
        `nats registry: service "${record.name}": metadata "${key}" is of type ${typeof value}`,
      );
    }
  }
  return record;
}

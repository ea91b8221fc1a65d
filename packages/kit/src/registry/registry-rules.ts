import { MicroError, type ServiceRecord, serviceRecord } from '@ts-micro/core';

/** Throws `invalid` where no service can have that name; `who` begins the message. */
export function checkServiceName(name: string, who: string): void {
  if (typeof name === 'string' && name !== '') return;
  const given = name === '' ? '""' : MicroError.textOf(name);
  throw new MicroError('invalid', `${who}: service name ${given} is empty or not a text`);
}

/** Throws `invalid` where a lease is given that is not a positive, finite number of milliseconds. */
export function checkTtl(ttlMs: number | undefined, who: string): void {
  if (ttlMs === undefined || (Number.isFinite(ttlMs) && ttlMs > 0)) return;
  throw new MicroError('invalid', `${who}: ttlMs is ${String(ttlMs)}, not a positive number`);
}

/** Throws `too_large` where a record that is told in so many bytes has more than a registry takes. */
export function checkRecordBytes({ name }: ServiceRecord, bytes: number, maxRecordBytes: number, who: string): void {
  if (bytes <= maxRecordBytes) return;
  const size = `${bytes} bytes, more than maxRecordBytes (${maxRecordBytes})`;
  throw new MicroError('too_large', `${who}: service "${name}": the record is ${size}`);
}

/**
 * Returns a complete private copy of a record. Throws `invalid` where it breaks a rule, has metadata that are no text,
 * or cannot be read at all.
 */
export function checkRecord(service: ServiceRecord, who: string): ServiceRecord {
  let record: ServiceRecord;
  try {
    record = serviceRecord(service);
  } catch (error) {
    throw MicroError.from(error, 'invalid', `${who}: the record cannot be read`);
  }
  if (record.endpoints.some(({ name }) => typeof name !== 'string'))
    throw new MicroError('invalid', `${who}: service "${record.name}": an endpoint has no name`);
  if (
    [record.version, ...record.nodes.flatMap(({ id, address }) => [id, address])].some(
      (each) => typeof each !== 'string',
    )
  )
    throw new MicroError('invalid', `${who}: service "${record.name}": a version, node id or address is no text`);
  for (const { metadata } of [record, ...record.endpoints, ...record.nodes]) {
    for (const [key, value] of Object.entries(metadata)) {
      if (typeof value === 'string') continue;
      throw new MicroError('invalid', `${who}: service "${record.name}": metadata "${key}" is of type ${typeof value}`);
    }
  }
  return record;
}

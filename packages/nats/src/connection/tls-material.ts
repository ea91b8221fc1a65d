import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { MicroError } from '@ts-micro/core';
import type { NatsTlsOptions } from './nats-options.ts';

const documents = ['ca', 'cert', 'key'] as const;

/** Throws `invalid` naming the option of TLS that is of a wrong type, never its value, which may be a key. */
export function checkTlsOptions(tls: object, who: string): void {
  const wrong = (option: string, value: unknown, wanted: string) => {
    throw new MicroError('invalid', `${who}: option ${option} is of type ${typeOf(value)}, not ${wanted}`);
  };
  if (Array.isArray(tls)) wrong('tls', tls, 'true, false or an object');
  const given: NatsTlsOptions = { ...tls };
  for (const option of ['caFile', 'certFile', 'keyFile', 'servername'] as const) {
    if (given[option] !== undefined && typeof given[option] !== 'string')
      wrong(`tls.${option}`, given[option], 'a text');
  }
  const { handshakeFirst, checkServerIdentity } = given;
  if (handshakeFirst !== undefined && typeof handshakeFirst !== 'boolean') {
    wrong('tls.handshakeFirst', handshakeFirst, 'true or false');
  }
  if (checkServerIdentity !== undefined && typeof checkServerIdentity !== 'function') {
    wrong('tls.checkServerIdentity', checkServerIdentity, 'a function');
  }
}

/**
 * Returns the options of TLS with what their files hold now, and the context that Node makes of them. Throws `invalid`
 * where that is not possible, naming the option and quoting nothing of what it holds.
 */
export function readTlsOptions(tls: NatsTlsOptions, who: string): Record<string, unknown> {
  const { caFile, certFile, keyFile, ...rest } = tls;
  const files = { ca: caFile, cert: certFile, key: keyFile };
  const read: Record<string, unknown> = { ...rest };
  for (const option of documents) {
    const file = files[option];
    if (file !== undefined && file !== '') read[option] = contentOf(file, `${who}: option tls.${option}File`);
    // Node takes what is no PEM for no authority at all.
    if (option === 'ca' && isWithoutPem(read.ca)) {
      throw new MicroError(
        'invalid',
        `${who}: option ${file ? `tls.caFile ${JSON.stringify(file)}` : 'tls.ca'} has no PEM certificate`,
      );
    }
  }
  const [hasCert, hasKey] = [read.cert, read.key].map((value) => value !== undefined && value !== null);
  if (hasCert !== hasKey) {
    const [there, missing] = hasKey ? ['key', 'cert'] : ['cert', 'key'];
    throw new MicroError('invalid', `${who}: option tls has a ${there} and no ${missing}`);
  }
  try {
    return { secureContext: createSecureContext(read as SecureContextOptions), ...read };
  } catch (error) {
    throw new MicroError('invalid', `${who}: option tls: ${MicroError.textOf(error)}`);
  }
}

function contentOf(file: string, what: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new MicroError('invalid', `${what} ${JSON.stringify(file)} cannot be read: ${MicroError.textOf(error)}`);
  }
}

function isWithoutPem(ca: unknown): boolean {
  if (Array.isArray(ca)) return ca.some(isWithoutPem);
  const text = typeof ca === 'string' ? ca : ca instanceof Uint8Array ? Buffer.from(ca).toString('latin1') : undefined;
  return text !== undefined && !/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/.test(text);
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value;
}

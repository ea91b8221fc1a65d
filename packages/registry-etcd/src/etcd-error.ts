import { type ErrorCode, MicroError } from '@ts-micro/core';
import { who } from './etcd-registry-options.ts';

/** By the code of gRPC; what is not here means that etcd cannot be used now. */
const codes: Record<number, ErrorCode> = { 3: 'invalid', 7: 'unauthorized', 16: 'unauthorized' };

/** The error that a member answered with. */
export function errorOfAnswer(path: string, status: number, text: string): MicroError {
  let said = `status ${status}`;
  let number = 0;
  try {
    const { error, message, code } = JSON.parse(text);
    said = String(message ?? error);
    number = Number(code);
  } catch {
    // Something else than etcd answered: a proxy, another program.
  }
  return new MicroError(codeOf(said, number), `${who}: ${path}: ${said}`);
}

function codeOf(said: string, number: number): ErrorCode {
  if (/authentication|auth token|user name|permission|password|auth revision/i.test(said)) return 'unauthorized';
  // By two codes, one of which a full database has as well.
  if (/request is too large|message larger than max/.test(said)) return 'too_large';
  return codes[number] ?? 'unavailable';
}

import { parseGoDuration } from '@ts-micro/kit';
import { InvalidArgumentError } from 'commander';

/** Reads a time: `500ms`, `5s`, `1m30s`, or a number of seconds. */
export function readDuration(text: string): number {
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : parseGoDuration(text);
  if (ms === undefined || !(ms > 0) || ms >= 2 ** 31)
    throw new InvalidArgumentError('Write a time such as 500ms, 5s or 1m30s.');
  return ms;
}

/** Reads a whole number of at least 1. */
export function readCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count) || count < 1)
    throw new InvalidArgumentError('Write a whole number of at least 1.');
  return count;
}

/** Adds one `name=value` to those read before. */
export function readMetadata(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError('Write it as name=value; give the option again for more.');
  return { ...before, [name.trim()]: value };
}

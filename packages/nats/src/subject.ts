import { MicroError } from '@ts-micro/core';

export interface SubjectRules {
  /** Whether `*` and `>` may stand for tokens. @default false */
  readonly wildcards?: boolean | undefined;
}

// The server ends a connection whose control line is over 4096 bytes, and a control line may hold two subjects and a
// queue.
const maxBytes = 1000;
const maxKnown = 4096;

const knownSubjects = new Set<string>();
const knownPatterns = new Set<string>();
const knownQueues = new Set<string>();

/**
 * Throws `invalid` unless `subject` is tokens between dots without white space or control characters, at most 1000
 * bytes, and does not begin with `$` but for `$SRV.`.
 *
 * Neither the client nor the server says so of its own accord: a bad subject is a subscription that hears nothing.
 */
export function checkSubject(subject: string, who: string, rules?: SubjectRules): void {
  const known = rules?.wildcards ? knownPatterns : knownSubjects;
  if (known.has(subject)) return;
  const fault = subjectFault(subject, rules?.wildcards ?? false);
  if (fault !== undefined) throw new MicroError('invalid', `${who}: ${quote(subject)} ${fault}`);
  remember(known, subject);
}

/** Returns whether {@link checkSubject} accepts `subject`, without wildcards: whether something can be sent there. */
export function isSubject(subject: string): boolean {
  return knownSubjects.has(subject) || subjectFault(subject, false) === undefined;
}

/**
 * Throws `invalid` unless `queue` can name a queue group: no white space, no control characters, no wildcards, at
 * most 1000 bytes.
 */
export function checkQueue(queue: string, who: string): void {
  if (knownQueues.has(queue)) return;
  const fault = subjectFault(queue, false);
  if (fault !== undefined) throw new MicroError('invalid', `${who}: queue ${quote(queue)} ${fault}`);
  remember(knownQueues, queue);
}

function subjectFault(subject: unknown, wildcards: boolean): string | undefined {
  if (typeof subject !== 'string') return `is of type ${typeof subject}`;
  if (subject === '') return 'is empty';
  if (subject.includes(' ')) return 'contains a space';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  if (/[\s\x00-\x1f\x7f]/.test(subject)) return 'contains white space or a control character';
  if (Buffer.byteLength(subject) > maxBytes) return `is longer than ${maxBytes} bytes`;
  // The server's own interfaces: a topic or address made of somebody's input must not delete a stream.
  if (subject.startsWith('$') && !subject.startsWith('$SRV.'))
    return 'begins with $, as the interfaces of the server do';
  const tokens = subject.split('.');
  for (const [index, token] of tokens.entries()) {
    if (token === '') return 'has an empty token';
    const isWildcard = token === '*' || (token === '>' && index === tokens.length - 1);
    if (isWildcard && wildcards) continue;
    if (token.includes('*') || token.includes('>')) {
      return wildcards ? 'has a * that is not a whole token or a > that is not the last one' : 'contains a wildcard';
    }
  }
  return undefined;
}

function remember(known: Set<string>, text: string): void {
  // Bounded, so that made-up subjects cannot grow it; emptied when full, so that those in use now are found again.
  if (known.size >= maxKnown) known.clear();
  known.add(text);
}

function quote(text: unknown): string {
  return JSON.stringify(typeof text === 'string' && text.length > 80 ? `${text.slice(0, 80)}...` : String(text));
}

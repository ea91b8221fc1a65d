import { MicroError } from './error.ts';

/** Throws `invalid` where `name` is empty or holds white space or a control character; `what` says what it names. */
export function checkName(name: string, what: string): void {
  if (typeof name !== 'string' || name === '') throw new MicroError('invalid', `${what} is empty`);
  if (/[\s\p{Cc}]/u.test(name))
    throw new MicroError('invalid', `${what} ${JSON.stringify(name)} contains white space or a control character`);
}

/**
 * Throws `invalid` where `topic` cannot be published on: a topic is tokens between dots, none of them empty or with a
 * wildcard.
 */
export function checkTopic(topic: string, who: string): void {
  for (const token of tokensOf(topic, who)) {
    if (/[*>]/.test(token)) throw new MicroError('invalid', `${who}: topic ${JSON.stringify(topic)} holds a wildcard`);
  }
}

/**
 * Returns a function that tells which topics a pattern matches: `*` stands for one token, a last `>` for one or more.
 * Throws `invalid` where the pattern breaks that.
 */
export function topicMatcher(pattern: string, who: string): (topic: string) => boolean {
  const tokens = tokensOf(pattern, who);
  for (const [index, token] of tokens.entries()) {
    if (!/[*>]/.test(token) || token === '*' || (token === '>' && index === tokens.length - 1)) continue;
    const fault = 'holds a wildcard that is no whole token, or a ">" that is not last';
    throw new MicroError('invalid', `${who}: topic ${JSON.stringify(pattern)} ${fault}`);
  }
  const isOpen = tokens.at(-1) === '>';
  const fixed = isOpen ? tokens.slice(0, -1) : tokens;
  if (!isOpen && !fixed.includes('*')) return (topic) => topic === pattern;
  return (topic) => {
    const actual = topic.split('.');
    if (isOpen ? actual.length <= fixed.length : actual.length !== fixed.length) return false;
    return fixed.every((token, index) => token === '*' || token === actual[index]);
  };
}

function tokensOf(topic: string, who: string): readonly string[] {
  checkName(topic, `${who}: topic`);
  const tokens = topic.split('.');
  if (tokens.includes('')) throw new MicroError('invalid', `${who}: topic ${JSON.stringify(topic)} has an empty token`);
  return tokens;
}

import type { StandardSchemaV1 } from '@standard-schema/spec';

type Issue = StandardSchemaV1.Issue;

const mostIssues = 10;
const longestRule = 200;
const longestPath = 200;

/**
 * Tells what is wrong with a value: path and rule of up to ten issues, and how many more there are. It never contains
 * the value itself, which some libraries quote in their messages.
 */
export function issueText(vendor: string, issues: readonly Issue[], value: unknown): string {
  const told = issues
    .slice(0, mostIssues)
    .map((issue) => `${pathText(pathOf(issue))}: ${ruleOf(vendor, issue, value)}`);
  const more = issues.length - told.length;
  return [...told, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

/** A path as code would write it, `items[0].name`; `value` for the whole. */
export function pathText(path: readonly PropertyKey[]): string {
  const text = path.reduce<string>((before, key) => {
    if (typeof key === 'number') return `${before}[${key}]`;
    const name = String(key);
    if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)) return `${before}[${JSON.stringify(name)}]`;
    return before === '' ? name : `${before}.${name}`;
  }, '');
  return text === '' ? 'value' : cut(text, longestPath);
}

function pathOf({ path = [] }: Issue): PropertyKey[] {
  return path.map((segment) => (typeof segment === 'object' ? segment.key : segment));
}

function ruleOf(vendor: string, issue: Issue, value: unknown): string {
  const { type, expected } = issue as { type?: unknown; expected?: unknown };
  // Their messages quote what they received; what they expected is told beside.
  if (vendor === 'valibot' && typeof type === 'string')
    return cut(typeof expected === 'string' ? `${type}, expected ${expected}` : type, longestRule);
  if (vendor === 'arktype' && typeof expected === 'string') return cut(`must be ${expected}`, longestRule);
  // Before its version 4 effect quotes as well.
  const message = vendor === 'effect' ? issue.message.replace(/, actual .*$/s, '') : issue.message;
  return cut(redacted(message, valueAt(value, pathOf(issue))), longestRule);
}

/** The message without what stands at its path. */
function redacted(message: string, value: unknown): string {
  const line = message.replace(/\s+/g, ' ');
  if (typeof value === 'string') {
    if (value === '') return line;
    return line.replaceAll(JSON.stringify(value), '"..."').replaceAll(value, '...');
  }
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return line.replace(/[\w.-]+/g, (word) => (word === String(value) ? '...' : word));
  // Of a whole object no more than its type is anybody's business.
  if (typeof value === 'object' && value !== null) return line.replace(/[,:]? ?(actual|received|got) .*$/i, '');
  return line;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<PropertyKey, unknown>)[key];
  }
  return at;
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}...` : text;
}

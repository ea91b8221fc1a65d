import type { SortKey, View } from './view.ts';

const sortKeys: Readonly<Record<string, SortKey>> = { s: 'service', r: 'requests', e: 'errors', l: 'latency' };
const enter = /^[\r\n]$/;
const escapeKey = String.fromCodePoint(0x1b);
const backspace = new Set(['\b', String.fromCodePoint(0x7f)]);
/** What Ctrl-C is where the terminal makes no signal of it. */
const interrupt = String.fromCodePoint(3);

/** Returns the view after a key, or `quit`. */
export function afterKey(view: View, key: string): View | 'quit' {
  if (key === interrupt) return 'quit';
  if (view.isTyping) {
    if (enter.test(key)) return { ...view, isTyping: false };
    if (key === escapeKey) return { ...view, isTyping: false, filter: '' };
    if (backspace.has(key)) return { ...view, filter: view.filter.slice(0, -1) };
    return /^[^\p{C}]+$/u.test(key) ? { ...view, filter: view.filter + key } : view;
  }
  if (key === 'q') return 'quit';
  if (key === '/') return { ...view, isTyping: true };
  const sort = Object.hasOwn(sortKeys, key) ? sortKeys[key] : undefined;
  return sort === undefined ? view : { ...view, sort };
}

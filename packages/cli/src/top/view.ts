import { bytesText, durationText } from '../terminal/amounts.ts';
import type { Paint } from '../terminal/paint.ts';
import { printable } from '../terminal/printable.ts';
import { type Cell, tableLines } from '../terminal/table.ts';
import { fitted } from '../terminal/width.ts';
import type { NodeRates } from './node-rates.ts';

/** What the nodes are sorted by. */
export type SortKey = 'service' | 'requests' | 'errors' | 'latency';

/** What the keys have chosen. */
export interface View {
  readonly sort: SortKey;
  /** Only nodes whose service, version or id has this in it. */
  readonly filter: string;
  /** Whether the filter is being typed. */
  readonly isTyping: boolean;
}

const compare: Readonly<Record<SortKey, (one: NodeRates, other: NodeRates) => number>> = {
  service: () => 0,
  requests: (one, other) => (other.requestsPerSecond ?? -1) - (one.requestsPerSecond ?? -1),
  errors: (one, other) =>
    (other.errorsPerSecond ?? -1) - (one.errorsPerSecond ?? -1) || (other.errors ?? -1) - (one.errors ?? -1),
  latency: (one, other) => other.answerMs - one.answerMs,
};

/** Returns the nodes of a view, sorted; equal ones by service, version and id. */
export function viewed(nodes: readonly NodeRates[], { sort, filter }: View): readonly NodeRates[] {
  const wanted = filter.toLowerCase();
  const key = ({ service, version, node }: NodeRates) => `${service}\u0000${version}\u0000${node}`;
  return nodes
    .filter((each) => `${each.service} ${each.version} ${each.node}`.toLowerCase().includes(wanted))
    .sort((one, other) => compare[sort](one, other) || (key(one) < key(other) ? -1 : 1));
}

/** Returns the lines of a screen of `rows` lines, none wider than `columns`. */
export function screenLines(
  nodes: readonly NodeRates[],
  view: View,
  size: { readonly rows: number; readonly columns: number },
  paint: Paint,
): readonly string[] {
  const shown = viewed(nodes, view);
  const services = new Set(nodes.map(({ service }) => service)).size;
  const total = nodes.reduce((sum, { requestsPerSecond = 0 }) => sum + requestsPerSecond, 0);
  const failing = nodes.reduce((sum, { errorsPerSecond = 0 }) => sum + errorsPerSecond, 0);
  const sums = `${services} services, ${nodes.length} nodes, ${rate(total)} requests/s, ${rate(failing)} errors/s`;
  const filter = view.filter === '' && !view.isTyping ? '' : `, filter: ${view.filter}${view.isTyping ? '_' : ''}`;
  const state = `sorted by ${view.sort}${filter}`;
  const head = [
    { title: 'SERVICE', shrinks: true },
    { title: 'VERSION', shrinks: true },
    { title: 'NODE', shrinks: true },
    { title: 'REQ/S', isNumber: true },
    { title: 'ERR/S', isNumber: true },
    { title: 'REQUESTS', isNumber: true },
    { title: 'ERRORS', isNumber: true },
    { title: 'MEMORY', isNumber: true },
    { title: 'ANSWERS IN', isNumber: true },
  ];
  const lines = tableLines(
    head,
    shown.map((each) => cells(each, paint)),
    size.columns,
    paint,
  );
  const room = Math.max(1, size.rows - 4);
  const keys = view.isTyping
    ? 'Enter: done  Esc: no filter'
    : 's service  r requests  e errors  l latency  / filter  q quit';
  const line = (text: string) => fitted(printable(text), size.columns);
  return [paint.bold(line(sums)), paint.dim(line(state)), ...lines.slice(0, room + 1), paint.dim(line(keys))];
}

function cells(each: NodeRates, paint: Paint): readonly Cell[] {
  const hasErrors = (each.errorsPerSecond ?? 0) > 0;
  return [
    each.service,
    each.version,
    each.node,
    rate(each.requestsPerSecond),
    hasErrors ? { text: rate(each.errorsPerSecond), paint: paint.red } : rate(each.errorsPerSecond),
    count(each.requests),
    count(each.errors),
    each.memoryBytes === undefined ? '-' : bytesText(each.memoryBytes),
    each.problem === undefined ? durationText(each.answerMs) : { text: 'no answer', paint: paint.red },
  ];
}

function rate(perSecond: number | undefined): string {
  if (perSecond === undefined) return '-';
  return perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond));
}

function count(value: number | undefined): string {
  return value === undefined ? '-' : String(value);
}

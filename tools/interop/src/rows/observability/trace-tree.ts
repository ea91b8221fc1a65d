/** A span, whoever told of it. */
export interface TracedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string | undefined;
}

/** The names from the root of every tree down to each of its leaves. Throws where a parent is of another trace. */
export function treeOf(spans: readonly TracedSpan[]): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const parentOf = ({ parentSpanId }: TracedSpan): TracedSpan | undefined => byId.get(parentSpanId ?? '');
  const parents = new Set(spans.map(parentOf));
  const pathTo = (span: TracedSpan): string => {
    const parent = parentOf(span);
    if (parent === undefined) return span.name;
    if (parent.traceId !== span.traceId) throw new Error(`${span.name} and ${parent.name} are of two traces`);
    return `${pathTo(parent)} > ${span.name}`;
  };
  return spans.filter((span) => !parents.has(span)).map(pathTo);
}

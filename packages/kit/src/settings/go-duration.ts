const msByUnit: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const wholeRule = /^\+?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;
const partRule = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;

/**
 * Returns the milliseconds of a duration as Go writes it (`500ms`, `1m30s`, `1.5h`), or `undefined` where the text is
 * no duration or a negative one. (Go: `time.ParseDuration`.)
 */
export function parseGoDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!wholeRule.test(text)) return undefined;
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(partRule)) ms += Number(amount) * (msByUnit[unit as string] as number);
  return ms;
}

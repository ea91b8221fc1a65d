import type { LevelResult } from './levels.ts';

const letterWidth = 6.6;
const padding = 10;

/** Draws the levels that were passed as a badge, an SVG that a README can show; red where one failed. */
export function formatBadge(levels: readonly LevelResult[]): string {
  const failed = levels.filter(({ status }) => status === 'failed').map(({ level }) => level);
  const passed = levels.filter(({ status }) => status === 'passed').map(({ level }) => level);
  const right = failed.length > 0 ? `${failed.join(' · ')} failed` : passed.join(' · ') || 'none';
  const left = 'contract';
  const [leftWidth, rightWidth] = [left, right].map((text) => Math.ceil(text.length * letterWidth) + padding);
  const width = (leftWidth ?? 0) + (rightWidth ?? 0);
  const colour = failed.length > 0 ? '#c0392b' : '#2d7d46';
  const text = (at: number, words: string) => `<text x="${at}" y="14" fill="#fff">${words}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="20" role="img" aria-label="${left}: ${right}">`,
    `<rect width="${width}" height="20" rx="3" fill="#444"/>`,
    `<rect x="${leftWidth}" width="${rightWidth}" height="20" rx="3" fill="${colour}"/>`,
    '<g font-family="Verdana,sans-serif" font-size="11">',
    text(padding / 2, left),
    text((leftWidth ?? 0) + padding / 2, right),
    '</g></svg>',
  ].join('');
}

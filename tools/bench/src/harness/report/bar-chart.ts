export interface Bar {
  readonly label: string;
  readonly value: number;
}

const width = 760;
const labelWidth = 270;
const barHeight = 22;
const top = 40;

/** Horizontal bars from zero as an SVG picture, the longest first, with a line at 1. */
export function barChart(title: string, unit: string, bars: readonly Bar[]): string {
  const sorted = [...bars].sort((one, other) => other.value - one.value);
  const scale = (width - labelWidth - 70) / Math.max(1, ...sorted.map(({ value }) => value));
  const height = top + sorted.length * (barHeight + 6) + 10;
  const lines = sorted.map(({ label, value }, index) => {
    const y = top + index * (barHeight + 6);
    const length = Math.round(value * scale);
    const fill = label.startsWith('ts-micro') ? '#2f6fde' : '#9aa5b1';
    return [
      `  <text x="${labelWidth - 8}" y="${y + 16}" text-anchor="end">${escapeText(label)}</text>`,
      `  <rect x="${labelWidth}" y="${y}" width="${length}" height="${barHeight}" fill="${fill}"/>`,
      `  <text x="${labelWidth + length + 6}" y="${y + 16}">${value.toFixed(2)}</text>`,
    ].join('\n');
  });
  const one = labelWidth + Math.round(scale);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="13">
  <title>${escapeText(title)}</title>
  <rect width="100%" height="100%" fill="#ffffff"/>
  <text x="8" y="22" font-size="15">${escapeText(title)} (${escapeText(unit)})</text>
${lines.join('\n')}
  <line x1="${one}" y1="${top - 6}" x2="${one}" y2="${height - 8}" stroke="#333333" stroke-dasharray="3 3"/>
</svg>
`;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

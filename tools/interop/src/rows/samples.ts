/** Strings that Go's JSON escapes, or that something on the way might. */
export const oddTexts: readonly string[] = [
  '<b> & "é" \\ / \'',
  '\u2028\u2029',
  '\u0000\u0001\b\f\n\r\t\u007f',
  '日本語 😀 𝕏',
  'e\u0301 \u00e9',
  '\ufffd\ufeff',
  '',
];

/** Body sizes in bytes, about: from nothing to what still fits a message of 1 MiB once it is base64. */
export const bodySizes: readonly number[] = [0, 1, 1_000, 65_536, 300_000, 700 * 1024];

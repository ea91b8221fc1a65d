/**
 * Decodes a file of credentials as shells and editors save it: UTF-8, or UTF-16 that begins with a byte order mark, as
 * PowerShell's `>` writes. Throws an Error that names the encoding where it is UTF-16 without one, or UTF-32.
 */
export function decodeText(bytes: Uint8Array): string {
  const [first, second, third, fourth] = bytes;
  const isLittle = first === 0xff && second === 0xfe;
  const isBig = first === 0xfe && second === 0xff;
  if (isLittle && third === 0 && fourth === 0) throw new Error('it is UTF-32: save it as UTF-8');
  if (isLittle || isBig) {
    if (bytes.length % 2 === 1) throw new Error('it is UTF-16 that was cut: save it as UTF-8');
    const pairs = Buffer.from(bytes.subarray(2));
    return (isBig ? pairs.swap16() : pairs).toString('utf16le');
  }
  // No text of credentials has one.
  const zeroAt = bytes.indexOf(0);
  if (zeroAt >= 0)
    throw new Error(`it is UTF-16 ${zeroAt % 2 === 0 ? 'BE' : 'LE'} without a byte order mark: save it as UTF-8`);
  return Buffer.from(bytes)
    .toString('utf8')
    .replace(/^\uFEFF/, '');
}

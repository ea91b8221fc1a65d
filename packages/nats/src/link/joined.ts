/** Returns a copy of `data`, with `prefix` before it where there is one. */
export function joined(prefix: Uint8Array | undefined, data: Uint8Array): Uint8Array {
  if (prefix === undefined) return new Uint8Array(data);
  const bytes = new Uint8Array(prefix.length + data.length);
  bytes.set(prefix);
  bytes.set(data, prefix.length);
  return bytes;
}

const bytesForEach = 64;
const bytesAlways = 16_384;

/** Returns `decoded`. Throws where it has a number that is none, or is much larger than what it was decoded from. */
export function checkDecoded(decoded: unknown, payloadBytes: number): unknown {
  const bytes = sizeOf(decoded, new Set());
  const most = payloadBytes * bytesForEach + bytesAlways;
  if (bytes > most) throw new Error(`${payloadBytes} bytes become ${bytes}, more than ${most}`);
  return decoded;
}

/** About how many bytes a value takes. Throws where there is a NaN in it. */
function sizeOf(value: unknown, seen: Set<object>): number {
  if (typeof value === 'number' && Number.isNaN(value)) throw new Error('a number is NaN');
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null || seen.has(value)) return 8;
  seen.add(value);
  if (ArrayBuffer.isView(value)) return value.byteLength;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return entries.reduce((sum, [key, item]) => sum + sizeOf(key, seen) + sizeOf(item, seen), 16);
}

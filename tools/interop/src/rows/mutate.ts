/** A stream of numbers from 0 up to below 1 that is the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const headerNames = [
  'Accept',
  'Connection',
  'Content-Type',
  'Micro-Endpoint',
  'Micro-Error',
  'Micro-ID',
  'Micro-Id',
  'Micro-Method',
  'Micro-Protocol',
  'Micro-Service',
  'Micro-Stream',
  'Micro-Target',
  'Micro-Topic',
  'Timeout',
  'X-Micro-Endpoint',
  '__proto__',
];

const values = [
  '',
  ' ',
  '0',
  '-1',
  '1e999',
  'EOS',
  'close',
  'Greeter.Hello',
  'Greeter.Count',
  'Greeter.Chat',
  'Greeter.Echo',
  'Nope',
  '.',
  'a.b.c',
  'application/json',
  'application/json-rpc',
  'application/protobuf',
  'application/proto-rpc',
  'application/octet-stream',
  'application/grpc+json',
  'text/plain',
  '18446744073709551616',
  '\u0000\n\r',
  'x'.repeat(5_000),
  null,
  7,
  true,
  {},
  [],
] as const;

const bodies = [
  null,
  '',
  'e30K',
  'bnVsbA==',
  'W10=',
  'eyJuYW1lIjo3fQ==',
  'eyJ0byI6M30=',
  '!!!',
  'AAAA',
  'e30',
  7,
  {},
] as const;

/** One mutated envelope: wrong keys, wrong types, hostile values, or broken bytes. */
export function mutatedEnvelope(random: () => number): Buffer {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const header: Record<string, unknown> = {
    'Content-Type': 'application/json',
    'Micro-Endpoint': 'Greeter.Hello',
    'Micro-Id': String(Math.floor(random() * 50)),
    'Micro-Method': 'Greeter.Hello',
    'Micro-Service': 'greeter',
  };
  for (let n = Math.floor(random() * 4); n > 0; n--) {
    const name = pick(headerNames);
    if (random() < 0.3) delete header[name];
    else
      Object.defineProperty(header, name, {
        value: pick(values),
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  const envelope: Record<string, unknown> = { Header: header, Body: pick(bodies) };
  if (random() < 0.05) envelope.Header = pick([null, [], 'x', 7]);
  if (random() < 0.05) delete envelope[pick(['Header', 'Body'])];
  const bytes = Buffer.from(JSON.stringify(envelope));
  const kind = random();
  if (kind < 0.15) return bytes.subarray(0, Math.floor(random() * bytes.length));
  if (kind < 0.3) {
    for (let n = Math.ceil(random() * 4); n > 0; n--)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
  }
  return bytes;
}

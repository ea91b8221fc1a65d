import fc from 'fast-check';

/** In every text made here: whoever repeats it gives a payload away. */
export const marker = 'MaRkEr';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Random bytes, broken JSON, envelopes of wrong types, and mutations of `samples`. */
export function payloads(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const odd = fc.oneof(
    fc.constantFrom(null, true, -1, 1e308, '', marker, [], {}, [[]], 'AAAA=', '=', '\u0000', '\ud800'),
    fc.string(),
    fc.double(),
    fc.object({ maxDepth: 2 }),
  );
  const fields = fc.dictionary(
    fc.constantFrom(
      'Header',
      'Body',
      'header',
      '__proto__',
      'constructor',
      'service',
      'name',
      'nodes',
      'action',
      'endpoints',
      marker,
    ),
    odd,
  );
  const envelopes = fc.tuple(odd, odd).map(([Header, Body]) => encode(JSON.stringify({ Header, Body })));
  const polluting = fc
    .constantFrom(
      `{"__proto__":{"${marker}":1}}`,
      `{"Header":{"__proto__":"${marker}","constructor":{"prototype":{"${marker}":1}}},"Body":"e30="}`,
      `{"Header":{"Micro-Endpoint":"__proto__.constructor","Micro-Service":"chaos","Micro-Id":"1"},"Body":"e30="}`,
      `{"action":"create","service":{"name":"__proto__","version":"${marker}","nodes":[{"id":"__proto__","address":"x"}]}}`,
      `{"Header":{"Content-Type":"application/json","Micro-Service":"chaos","Micro-Endpoint":"Chaos.Quick","Micro-Id":"1"},"Body":"${Buffer.from(`{"${marker}":`).toString('base64')}"}`,
      `{"Header":{"a":"${'x'.repeat(200_000)}"},"Body":""}`,
      `{"Body":${'9'.repeat(5000)}}`,
      '['.repeat(50_000),
      `"${marker}`,
      `${marker}`,
      '',
    )
    .map(encode);
  const bytes = fc.uint8Array({ maxLength: 300 });
  const jsons = fields.map((value) => encode(JSON.stringify(value)));
  const mutated = fc
    .tuple(fc.constantFrom(...samples), fc.array(mutation, { minLength: 1, maxLength: 4 }))
    .map(([sample, mutations]) => mutations.reduce((payload, mutate) => mutate(payload), sample));
  return fc.oneof(
    { arbitrary: bytes, weight: 2 },
    { arbitrary: jsons, weight: 2 },
    { arbitrary: envelopes, weight: 2 },
    { arbitrary: polluting, weight: 1 },
    { arbitrary: mutated, weight: 5 },
  );
}

type Mutation = (payload: Uint8Array) => Uint8Array;

/** Truncates, flips a byte, removes or doubles a part, or swaps in something of another type. */
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }).map(
    (at): Mutation =>
      (payload) =>
        payload.subarray(0, at * payload.length),
  ),
  fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)).map(
    ([at, byte]): Mutation =>
      (payload) => {
        const copy = new Uint8Array(payload);
        if (copy.length > 0) copy[Math.min(copy.length - 1, Math.floor(at * copy.length))] = byte;
        return copy;
      },
  ),
  fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(20)).map(
    ([at, size]): Mutation =>
      (payload) => {
        const from = Math.floor(at * payload.length);
        return Buffer.concat([payload.subarray(0, from), payload.subarray(from + size)]);
      },
  ),
  fc
    .constantFrom<[RegExp, string]>(
      [/"[^"]*"/, '1e999'],
      [/"([^"]*)":/, '"__proto__":'],
      [/\d+/, '-99999999999999999999'],
      [/"[^"]*"$/, 'null'],
      [/\{/, '[{'],
      [/[A-Za-z0-9+/=]{20,}/, '!!!!'],
    )
    .map(
      ([pattern, text]): Mutation =>
        (payload) =>
          encode(Buffer.from(payload).toString().replace(pattern, text)),
    ),
);

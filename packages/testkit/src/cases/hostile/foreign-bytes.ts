const encoder = new TextEncoder();

/** What another program may have put where a backend reads, with what is wrong about it. */
export const foreignBytes: readonly (readonly [what: string, bytes: Uint8Array])[] = [
  ['nothing', new Uint8Array()],
  ['a text that is no JSON', encoder.encode('{"Header":{')],
  ['null', encoder.encode('null')],
  ['a list', encoder.encode('[]')],
  ['a number', encoder.encode('-1e999')],
  ['a text in JSON', encoder.encode('"text"')],
  ['an object with members of other kinds', encoder.encode('{"Header":1,"Body":{},"nodes":"none","name":[],"put":7}')],
  ['an object that names `__proto__`', encoder.encode('{"__proto__":{"nodes":[]},"constructor":null}')],
  ['a record whose nodes are none', encoder.encode('{"name":"x","version":1,"nodes":[null,1,{"id":2}]}')],
  ['bytes that are no UTF-8', Uint8Array.of(0xff, 0xfe, 0xc3, 0x28, 0, 0, 1, 2)],
  ['a deep list', encoder.encode('['.repeat(20_000))],
  ['256 KiB', new Uint8Array(256 * 1024).fill(0x78)],
];

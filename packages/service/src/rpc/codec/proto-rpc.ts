import { MicroError } from '@ts-micro/core';
import type { Codec, CodecUse, LegacyCodec, LegacyEnvelope } from './codec.ts';
import { contentType } from './content-type.ts';

/**
 * `application/proto-rpc`: two netstrings, an envelope and the body of `protobuf`. (Go Micro: `codec/protorpc`.)
 *
 * The envelope is the protobuf message `{ 1: string method, 2: fixed64 seq, 3: string error }`. An event is the bare
 * body.
 */
export function protoRpcCodec(protobuf: Codec): LegacyCodec {
  return {
    contentType: contentType.protoRpc,
    encode(value: unknown, use: CodecUse): Uint8Array {
      const inner = protobuf.encode(value, use);
      if (use.kind === 'event') return inner;
      // A Go server leaves the method of a reply empty.
      return frame(writeEnvelope(use.kind === 'request' ? use.name : '', use.id ?? '', ''), inner);
    },
    decode(body: Uint8Array, use: CodecUse): unknown {
      return protobuf.decode(use.kind === 'event' ? body : netstrings(body)[1], use);
    },
    encodeError: (text) => frame(writeEnvelope('', '', text), new Uint8Array(0)),
    inspect: (body) => readEnvelope(netstrings(body)[0]),
  };
}

function frame(envelope: Buffer, inner: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(8 + envelope.length + inner.length);
  bytes.writeUInt32BE(envelope.length, 0);
  bytes.set(envelope, 4);
  bytes.writeUInt32BE(inner.length, 4 + envelope.length);
  bytes.set(inner, 8 + envelope.length);
  return bytes;
}

function netstrings(body: Uint8Array): [envelope: Buffer, inner: Buffer] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const envelope = netstringAt(bytes, 0);
  return [envelope, netstringAt(bytes, 4 + envelope.length)];
}

function netstringAt(bytes: Buffer, offset: number): Buffer {
  // A body that stops after the envelope has no message, as Go writes it for a reply that is an error.
  if (offset > 0 && offset === bytes.length) return bytes.subarray(offset);
  if (offset + 4 > bytes.length) throw broken('a length is cut off');
  const end = offset + 4 + bytes.readUInt32BE(offset);
  if (end > bytes.length) throw broken('a length is longer than the body');
  return bytes.subarray(offset + 4, end);
}

function writeEnvelope(method: string, id: string, error: string): Buffer {
  const seq = /^\d{1,20}$/.test(id) ? BigInt.asUintN(64, BigInt(id)) : 0n;
  const parts: Buffer[] = [];
  if (method !== '') parts.push(stringField(1, method));
  if (seq !== 0n) {
    const field = Buffer.alloc(9);
    field[0] = (2 << 3) | 1;
    field.writeBigUInt64LE(seq, 1);
    parts.push(field);
  }
  if (error !== '') parts.push(stringField(3, error));
  return Buffer.concat(parts);
}

function stringField(number: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  const head = [(number << 3) | 2];
  let length = bytes.length;
  while (length > 127) {
    head.push((length & 127) | 128);
    length >>>= 7;
  }
  head.push(length);
  return Buffer.concat([Buffer.from(head), bytes]);
}

function readEnvelope(bytes: Buffer): LegacyEnvelope {
  let endpoint = '';
  let id = '';
  let error = '';
  let offset = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[offset++];
      if (byte === undefined) break;
      // Not a shift: lengths above 2^31 must come out too long and not negative.
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw broken('a number in the envelope is cut off');
  };
  const take = (length: number): Buffer => {
    if (offset + length > bytes.length) throw broken('a field of the envelope is cut off');
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  while (offset < bytes.length) {
    const key = varint();
    if (key === ((1 << 3) | 2)) endpoint = take(varint()).toString('utf8');
    else if (key === ((2 << 3) | 1)) id = String(take(8).readBigUInt64LE());
    else if (key === ((3 << 3) | 2)) error = take(varint()).toString('utf8');
    else if (key % 8 === 0) varint();
    else if (key % 8 === 1) take(8);
    else if (key % 8 === 2) take(varint());
    else if (key % 8 === 5) take(4);
    else throw broken('the envelope has a field of an unknown kind');
  }
  return { id, endpoint, error };
}

function broken(what: string): MicroError {
  return new MicroError('malformed', `proto-rpc codec: ${what}`);
}

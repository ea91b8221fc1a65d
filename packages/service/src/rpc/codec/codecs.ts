import { MicroError } from '@ts-micro/core';
import { bytesCodec } from './bytes.ts';
import { type Codec, isLegacy, type LegacyCodec } from './codec.ts';
import { contentType } from './content-type.ts';
import { jsonCodec } from './json.ts';
import { jsonRpcCodec } from './json-rpc.ts';
import { protoRpcCodec } from './proto-rpc.ts';

/** The codecs a client or service knows. */
export interface Codecs {
  get(contentType: string): Codec | undefined;
  /** The wrapper that a peer without protocol metadata expects instead of the plain body. */
  legacy(contentType: string): LegacyCodec | undefined;
}

/** The codec that a request was written with, of other codecs: as it is, or in the legacy wrapper. */
export function codecLike(
  request: { readonly contentType: string; readonly codec: Codec | undefined },
  codecs: Codecs,
): Codec | undefined {
  const { contentType: type, codec } = request;
  return codec !== undefined && isLegacy(codec) ? codecs.legacy(type) : codecs.get(type);
}

/**
 * The built-in codecs and `extra` ones; an extra one with a built-in's content type replaces it, inside the legacy
 * wrappers too. Throws `invalid`.
 */
export function createCodecs(extra: readonly Codec[] = []): Codecs {
  if (!Array.isArray(extra)) throw new MicroError('invalid', 'codecs: they are no list');
  const byType = new Map<string, Codec>();
  for (const codec of [jsonCodec, bytesCodec(contentType.protobuf), bytesCodec(contentType.bytes), ...extra]) {
    if (typeof codec?.contentType !== 'string' || codec.contentType === '')
      throw new MicroError('invalid', 'codecs: a codec has no contentType');
    if (typeof codec.encode !== 'function' || typeof codec.decode !== 'function')
      throw new MicroError('invalid', `codecs: the one of "${codec.contentType}" does not encode and decode`);
    byType.set(codec.contentType, codec);
  }
  const jsonRpc = jsonRpcCodec(byType.get(contentType.json) as Codec);
  const protoRpc = protoRpcCodec(byType.get(contentType.protobuf) as Codec);
  const rawRpc = protoRpcCodec(byType.get(contentType.bytes) as Codec);
  for (const codec of [jsonRpc, protoRpc]) {
    if (!byType.has(codec.contentType)) byType.set(codec.contentType, codec);
  }
  const legacyByType = new Map<string, LegacyCodec>([
    [contentType.json, jsonRpc],
    [contentType.jsonRpc, jsonRpc],
    [contentType.protobuf, protoRpc],
    [contentType.protoRpc, protoRpc],
    [contentType.bytes, rawRpc],
  ]);
  return { get: (type) => byType.get(type), legacy: (type) => legacyByType.get(type) };
}

/** A codec together with the `Content-Type` that goes on the wire with it. */
export interface WireCodec {
  readonly codec: Codec;
  readonly contentType: string;
}

/**
 * How to speak `type` to a node: plain where its metadata has a `protocol`, else in the legacy wrapper. (Go Micro:
 * `setupProtocol`.) Throws `unsupported` where there is no codec.
 */
export function codecForNode(
  codecs: Codecs,
  type: string,
  metadata: Readonly<Record<string, string>> | undefined,
): WireCodec {
  const codec = codecs.get(type);
  if (codec === undefined) throw new MicroError('unsupported', `no codec for content type "${type}"`);
  if (metadata?.protocol) return { codec, contentType: type };
  const legacy = codecs.legacy(type);
  if (legacy === undefined) return { codec, contentType: type };
  // Go rewrites these two; raw bytes are wrapped under their own name.
  return { codec: legacy, contentType: type === contentType.bytes ? type : legacy.contentType };
}

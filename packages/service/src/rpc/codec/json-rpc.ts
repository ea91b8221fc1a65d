import { MicroError } from '@ts-micro/core';
import type { Codec, CodecUse, LegacyCodec, LegacyEnvelope } from './codec.ts';
import { contentType } from './content-type.ts';
import { goJson, parseJson } from './json.ts';

/**
 * `application/json-rpc`: a JSON-RPC 1.0 wrapper around the bodies of `json`. (Go Micro: `codec/jsonrpc`.)
 *
 * Either order of keys is accepted, and ids that are strings or numbers. An event is plain JSON without the newline.
 */
export function jsonRpcCodec(json: Codec): LegacyCodec {
  return {
    contentType: contentType.jsonRpc,
    encode(value: unknown, use: CodecUse): Uint8Array {
      const inner = Buffer.from(json.encode(value, use)).toString('utf8').trimEnd();
      if (use.kind === 'event') return Buffer.from(inner);
      const id = goJson(use.id ?? '');
      return Buffer.from(
        use.kind === 'request'
          ? `{"params":[${inner}],"id":${id},"method":${goJson(use.name)}}\n`
          : `{"id":${id},"result":${inner},"error":null}\n`,
      );
    },
    decode(body: Uint8Array, use: CodecUse): unknown {
      if (use.kind === 'event') return json.decode(body, use);
      const wrapper = parseWrapper(body);
      const inner = use.kind === 'response' ? wrapper.result : firstOf(wrapper.params);
      return json.decode(inner === undefined ? new Uint8Array(0) : Buffer.from(JSON.stringify(inner)), use);
    },
    encodeError: (text) => Buffer.from(`{"id":"","result":null,"error":${goJson(text)}}\n`),
    inspect(body: Uint8Array): LegacyEnvelope {
      const { id, method, error } = parseWrapper(body);
      return {
        id: typeof id === 'number' ? String(id) : textOf(id),
        endpoint: textOf(method),
        error: error === null || error === undefined || typeof error === 'string' ? textOf(error) : goJson(error),
      };
    },
  };
}

function parseWrapper(body: Uint8Array): Record<string, unknown> {
  const value = parseJson(body);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new MicroError('malformed', 'json-rpc codec: the body is not an object');
}

function firstOf(params: unknown): unknown {
  return Array.isArray(params) ? params[0] : params;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

import {
  create,
  type DescMessage,
  fromBinary,
  fromJsonString,
  isMessage,
  type Message,
  type MessageInitShape,
  toBinary,
  toJsonString,
} from '@bufbuild/protobuf';
import { type Codec, type Codecs, type CodecUse, createCodecs } from '@ts-micro/service';

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * Returns the codecs of one method's messages: `application/protobuf`, and `application/json` as Protocol Buffers maps
 * it, which Go Micro's JSON codec speaks as well. `undefined` is the empty message.
 */
export function messageCodecs(input: DescMessage, output: DescMessage): Codecs {
  const schemaOf = ({ kind }: CodecUse) => (kind === 'response' ? output : input);
  const binary: Codec = {
    contentType: 'application/protobuf',
    encode: (value, use) => toBinary(schemaOf(use), messageOf(schemaOf(use), value)),
    // Fields that are not known take eighty times their bytes in memory, and are nobody's business here.
    decode: (body, use) => fromBinary(schemaOf(use), body, { readUnknownFields: false }),
  };
  const json: Codec = {
    contentType: 'application/json',
    encode: (value, use) => encoder.encode(`${toJsonString(schemaOf(use), messageOf(schemaOf(use), value))}\n`),
    decode: (body, use) => {
      const schema = schemaOf(use);
      // A Go handler gets the zero value for an empty body; what a newer peer adds is nobody's business here.
      return body.length === 0 && use.kind !== 'response'
        ? create(schema)
        : fromJsonString(schema, decoder.decode(body), { ignoreUnknownFields: true });
    },
  };
  return createCodecs([binary, json]);
}

function messageOf(schema: DescMessage, value: unknown): Message {
  return isMessage(value, schema) ? value : create(schema, (value ?? {}) as MessageInitShape<DescMessage>);
}

/**
 * The content types with a codec of their own. They are compared exactly, parameters and case included, as Go Micro
 * does.
 */
export const contentType = {
  json: 'application/json',
  protobuf: 'application/protobuf',
  bytes: 'application/octet-stream',
  jsonRpc: 'application/json-rpc',
  protoRpc: 'application/proto-rpc',
  text: 'text/plain',
} as const;

/** The content type that Go Micro assumes for a message without one. */
export const defaultContentType: string = contentType.protobuf;

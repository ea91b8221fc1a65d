import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { MicroError } from '@ts-micro/core';
import {
  bidiStream,
  clientStream,
  defineService,
  type Endpoint,
  type EndpointKind,
  type NoErrors,
  type NoEvents,
  type Schema,
  type ServiceDefinition,
  serverStream,
  unary,
} from '@ts-micro/definition';
import { messageCodecs } from './message-codecs.ts';
import { messageSchema } from './message-schema.ts';

export interface ProtoOptions<Type extends string> {
  /** The name under which clients call the service. @default the name in the `.proto` file, in lower case: `greeter` */
  readonly name?: string;
  /**
   * The name of the service in the `.proto` file, for its types: with `Greeter` it is `client.Greeter.Hello(...)` to
   * the compiler as well.
   */
  readonly type?: Type;
}

interface KindOf {
  unary: 'unary';
  server_streaming: 'serverStream';
  client_streaming: 'clientStream';
  bidi_streaming: 'bidiStream';
}

type MessageSchema<M extends DescMessage> = Schema<MessageInitShape<M>, MessageShape<M>>;

/** The endpoints of a generated service: `Greeter.Hello` of `rpc Hello`, as Go Micro calls it. */
export type ProtoEndpoints<Methods extends GenServiceMethods, Type extends string> = {
  readonly [Method in keyof Methods & string as `${Type}.${Capitalize<Method>}`]: Endpoint<
    KindOf[Methods[Method]['methodKind']],
    MessageSchema<Methods[Method]['input']>,
    MessageSchema<Methods[Method]['output']>,
    NoErrors
  >;
};

const makers: Readonly<Record<DescMethod['methodKind'], typeof unary | typeof serverStream>> = {
  unary,
  server_streaming: serverStream,
  client_streaming: clientStream as never,
  bidi_streaming: bidiStream as never,
};

/**
 * Makes a definition of a service that `protoc-gen-es` has generated.
 *
 * Bodies go as `application/protobuf`, and as `application/json` to who asks so: `{ contentType: 'application/json' }`
 * of a call. Senders may give messages or their initial values; receivers get messages. Throws `invalid` where `type`
 * is not the service's, and for what is no generated service.
 */
export function fromProto<Methods extends GenServiceMethods, const Type extends string = string>(
  service: GenService<Methods>,
  options: ProtoOptions<Type> = {},
): ServiceDefinition<ProtoEndpoints<Methods, Type>, NoEvents> {
  // As of an import that is not there.
  if (!Array.isArray(service?.methods))
    throw new MicroError('invalid', 'protobuf: the service is none that protoc-gen-es has generated');
  const { type = service.name } = options;
  if (type !== service.name)
    throw new MicroError('invalid', `protobuf: the service is called "${service.name}" and not "${type}"`);
  const endpoints = service.methods.map((method) => [`${service.name}.${method.name}`, endpointOf(method)] as const);
  const definition = defineService({
    name: options.name ?? service.name.toLowerCase(),
    endpoints: Object.fromEntries(endpoints),
  });
  return definition as unknown as ServiceDefinition<ProtoEndpoints<Methods, Type>, NoEvents>;
}

function endpointOf(method: DescMethod): Endpoint<EndpointKind, Schema, Schema, NoErrors> {
  const { IDEMPOTENT, NO_SIDE_EFFECTS } = MethodOptions_IdempotencyLevel;
  return makers[method.methodKind]({
    request: messageSchema(method.input),
    response: messageSchema(method.output),
    idempotent: method.idempotency === IDEMPOTENT || method.idempotency === NO_SIDE_EFFECTS,
    codecs: messageCodecs(method.input, method.output),
    contentType: 'application/protobuf',
  });
}

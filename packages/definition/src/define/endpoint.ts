import { OptionChecks } from '@ts-micro/kit';
import type { Codecs } from '@ts-micro/service';
import type { InputOf, Schema } from './schema.ts';

/** Says which side sends how many messages; the words are gRPC's. */
export type EndpointKind = 'unary' | 'serverStream' | 'clientStream' | 'bidiStream';

/** The errors an endpoint may answer with, by name: the schema of each one's data. */
export type ErrorSchemas = Readonly<Record<string, Schema>>;

/** The parts of an endpoint. */
export interface EndpointInit<Request extends Schema, Response extends Schema, Errors extends ErrorSchemas> {
  /** The request, or each message that a client streams. */
  readonly request: Request;
  /** The response, or each message that a server streams. */
  readonly response: Response;
  /** The errors that handlers throw by name and clients tell apart. */
  readonly errors?: Errors;
  /**
   * That running it twice does no harm, which the client's retries go by; of a stream it is only advertised. @default
   * false
   */
  readonly idempotent?: boolean;
  /** Describes the endpoint, for people and for agents: advertised as Go Micro's gateways read it. */
  readonly description?: string;
  /** A request to show, advertised likewise. */
  readonly example?: InputOf<Request>;
  /**
   * That JSON integers which a `number` cannot hold arrive as `bigint`, and a `bigint` is sent as such an integer: for
   * Go's `int64`. Smaller ones arrive as `number` all the same. @default false
   */
  readonly exactIntegers?: boolean;
  /** The codecs for its bodies. @default the built-in codecs */
  readonly codecs?: Codecs;
  /** The content type that a client uses. @default 'application/json' */
  readonly contentType?: string;
}

/** One endpoint of a definition, made by `unary`, `serverStream`, `clientStream` or `bidiStream`. */
export interface Endpoint<
  Kind extends EndpointKind = EndpointKind,
  Request extends Schema = Schema,
  Response extends Schema = Schema,
  Errors extends ErrorSchemas = ErrorSchemas,
> {
  readonly kind: Kind;
  readonly request: Request;
  readonly response: Response;
  readonly errors: Errors;
  readonly idempotent: boolean;
  readonly description: string | undefined;
  readonly example: unknown;
  readonly exactIntegers: boolean;
  readonly codecs: Codecs | undefined;
  readonly contentType: string;
}

/** No errors that have a name. */
export type NoErrors = Readonly<Record<never, Schema>>;

/** One request, one response. */
export function unary<Request extends Schema, Response extends Schema, Errors extends ErrorSchemas = NoErrors>(
  init: EndpointInit<Request, Response, Errors>,
): Endpoint<'unary', Request, Response, Errors> {
  return endpoint('unary', init);
}

/** One request, many responses. */
export function serverStream<Request extends Schema, Response extends Schema, Errors extends ErrorSchemas = NoErrors>(
  init: EndpointInit<Request, Response, Errors>,
): Endpoint<'serverStream', Request, Response, Errors> {
  return endpoint('serverStream', init);
}

/** Many requests, one response. */
export function clientStream<Request extends Schema, Response extends Schema, Errors extends ErrorSchemas = NoErrors>(
  init: EndpointInit<Request, Response, Errors>,
): Endpoint<'clientStream', Request, Response, Errors> {
  return endpoint('clientStream', init);
}

/** Many messages each way, at once. */
export function bidiStream<Request extends Schema, Response extends Schema, Errors extends ErrorSchemas = NoErrors>(
  init: EndpointInit<Request, Response, Errors>,
): Endpoint<'bidiStream', Request, Response, Errors> {
  return endpoint('bidiStream', init);
}

const kinds: readonly unknown[] = ['unary', 'serverStream', 'clientStream', 'bidiStream'] satisfies EndpointKind[];

/** Throws `invalid` for what none of these makes, and for what cannot be an option of theirs. */
export function checkEndpoint(what: string, made: Endpoint): void {
  const checks = new OptionChecks(what);
  if (!kinds.includes(made?.kind))
    throw checks.invalid('kind', made?.kind, 'made by unary, serverStream, clientStream or bidiStream');
  const { errors, idempotent, exactIntegers, description, codecs, contentType } = made;
  if (typeof errors !== 'object' || errors === null) throw checks.invalid('errors', errors, 'an object');
  checks.boolean('idempotent', idempotent);
  checks.boolean('exactIntegers', exactIntegers);
  if (description !== undefined && typeof description !== 'string')
    throw checks.invalid('description', description, 'a text');
  if (codecs !== undefined) checks.methods('codecs', codecs, 'get', 'legacy');
  checks.text('contentType', contentType);
}

function endpoint<
  Kind extends EndpointKind,
  Request extends Schema,
  Response extends Schema,
  Errors extends ErrorSchemas,
>(kind: Kind, init: EndpointInit<Request, Response, Errors>): Endpoint<Kind, Request, Response, Errors> {
  new OptionChecks(`definition: ${kind}`).bag(init);
  return {
    kind,
    request: init.request,
    response: init.response,
    errors: init.errors ?? ({} as Errors),
    idempotent: init.idempotent ?? false,
    description: init.description,
    example: init.example,
    exactIntegers: init.exactIntegers ?? false,
    codecs: init.codecs,
    contentType: init.contentType ?? 'application/json',
  };
}

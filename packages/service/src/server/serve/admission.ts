import { bytesOfMessage } from '@ts-micro/kit';
import { codecLike } from '../../rpc/codec/codecs.ts';
import type { ErrorAnswer } from '../../rpc/error-origin.ts';
import type { IncomingRequest } from '../../rpc/request.ts';
import type { Refusal } from './backlog.ts';
import { answerError, type Exchange, peerOf, runtimeError } from './exchange.ts';
import { HandlerContext } from './handler-context.ts';
import type { Route } from './routes.ts';
import type { ServiceCore } from './service-core.ts';

/** A request or an event on its way to a handler. */
export interface Admission {
  readonly exchange: Exchange;
  readonly context: HandlerContext;
  /** Runs the handler and answers. */
  run(): Promise<void>;
  /** Called once: it has been answered, or nobody waits for an answer. */
  done(): void;
}

/** Runs a request now, or once there is room for it; refuses it where there will be none. */
export function admit(admission: Admission): void {
  const { exchange, context } = admission;
  const { limiter } = exchange.core;
  const { request } = exchange;
  const bodyBytes = request.body.length;
  if (limiter.takeUnary(bodyBytes, context.arrivedAt)) {
    run(admission);
    return;
  }
  const refuse = (why: Refusal) => turnAway(admission, why);
  const bytes = bytesOfMessage(request);
  const waiting = { context, peer: peerOf(exchange), bodyBytes, bytes, run: () => run(admission), refuse };
  if (!limiter.wait(waiting)) refuse('overloaded');
}

/** Returns the handler that a request is for, or the error that says why there is none. */
export function routeOf(core: ServiceCore, request: IncomingRequest, kind: Route['kind']): Route | ErrorAnswer {
  const { name, routes, gate } = core;
  gate.asked++;
  if (!gate.takesRequests || (kind === 'stream' && !gate.takesStreams))
    return runtimeError(503, `${name}: the service is stopping`, 'refused');
  if (request.problem !== undefined) return refusal(`rpc: router cannot decode request: ${request.problem.message}`);
  const route = routes.get(request.name);
  if (route === undefined) return refusal(routes.explainMissing(request.name));
  if (route.kind === kind) return route;
  return runtimeError(
    501,
    `${name} ${request.name}: is ${route.kind === 'stream' ? 'a stream' : 'not a stream'}`,
    'refused',
  );
}

export function isError(route: Route | ErrorAnswer): route is ErrorAnswer {
  return 'text' in route;
}

/** Returns the same request with the codec of its endpoint, where that has codecs of its own. */
export function readRequest({ routes }: ServiceCore, request: IncomingRequest): IncomingRequest {
  const codecs = routes.hasCodecs ? routes.get(request.name)?.options.codecs : undefined;
  return codecs === undefined || request.kind === 'event' ? request : { ...request, codec: codecLike(request, codecs) };
}

export function contextOf({ core, request, socket }: Exchange): HandlerContext {
  return new HandlerContext({
    kind: request.kind,
    service: core.name,
    name: request.name,
    headers: request.headers,
    contentType: request.contentType,
    timeout: request.timeout,
    local: socket.local,
    remote: socket.remote,
  });
}

export function overload({ name, limiter }: ServiceCore): ErrorAnswer {
  return runtimeError(503, `${name}: overloaded, ${limiter.size} handlers are running`, 'refused');
}

function run(admission: Admission): void {
  const { exchange, context } = admission;
  const { limiter } = exchange.core;
  const ran = () => {
    // First, so that the work that waits is never overlooked.
    limiter.releaseUnary(exchange.request.body.length);
    limiter.end(context);
    admission.done();
  };
  limiter.begin(context);
  void admission.run().then(ran, ran);
}

function turnAway(admission: Admission, why: Refusal): void {
  const { exchange, context } = admission;
  const { core } = exchange;
  if (context.isAborted) {
    // Its caller has left: there is nobody to tell.
    core.limiter.errors++;
    admission.done();
    return;
  }
  core.limiter.refused++;
  const answer =
    why === 'too late'
      ? runtimeError(504, `${core.name}: the deadline passed while waiting for room`, 'refused')
      : overload(core);
  void answerError(exchange, answer).then(() => admission.done());
}

/** In the words of Go Micro's router, which need no mark: a handler's error is never plain text. */
function refusal(text: string): ErrorAnswer {
  return { text, origin: 'handler' };
}

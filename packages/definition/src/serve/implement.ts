import { types } from 'node:util';
import { MicroError } from '@ts-micro/core';
import { OptionChecks, type OptionNames } from '@ts-micro/kit';
import type { Service, SubscriptionOptions } from '@ts-micro/service';
import { isDefinition, type ServiceDefinition } from '../define/define-service.ts';
import type { EndpointKind } from '../define/endpoint.ts';
import { eventOptions, handleOptions } from '../describe/describe.ts';
import { SchemaBudget } from '../describe/schema-budget.ts';
import { incomingCheck, refusalOf } from '../validate/checks.ts';
import { inTime } from '../validate/in-time.ts';
import { isPromise } from '../validate/validate.ts';
import type { EventHandlerOf, HandlerOf, Handlers } from './handlers.ts';
import { streamHandler } from './stream-handlers.ts';
import { unaryHandler } from './unary-handler.ts';

/** Says what a service checks. Where something is not checked, its schema does not transform it either. */
export interface ImplementOptions {
  /** Requests and messages of clients, before a handler gets them. @default true */
  readonly validateRequests?: boolean | undefined;
  /** Responses and messages of handlers, before they are sent. @default true */
  readonly validateResponses?: boolean | undefined;
  /**
   * That the JSON Schemas are in the registry as well, as far as they are small, and of streams who sends how many.
   * @default true
   */
  readonly advertiseSchemas?: boolean | undefined;
}

/** Says what a typed subscriber checks, beside the options of any other. */
export interface TypedSubscriptionOptions extends SubscriptionOptions {
  /** @default true */
  readonly validate?: boolean | undefined;
  /** As of `implement`. @default true */
  readonly advertiseSchemas?: boolean | undefined;
}

const optionNames: OptionNames<ImplementOptions> = {
  validateRequests: true,
  validateResponses: true,
  advertiseSchemas: true,
};

// Of each service, so that definitions implemented one endpoint at a time share it.
const budgets = new WeakMap<Service, SchemaBudget>();

/**
 * Handles every endpoint of a definition, beside whatever else the service handles.
 *
 * A request that does not fit is refused with `invalid` before its handler runs, saying path and rule; a response that
 * does not fit is logged and answered with a 500 that says no more. Throws as `service.handle` does, and `invalid`
 * where a handler is missing or unknown.
 */
export function implement<const D extends ServiceDefinition>(
  service: Service,
  definition: D,
  handlers: Handlers<D>,
  options: ImplementOptions = {},
): void {
  checkGiven('implement', service, definition);
  new OptionChecks(`definition of "${definition.name}": implement`).named(options, optionNames);
  new OptionChecks(`definition of "${definition.name}"`).bag(handlers);
  const names = Object.keys(definition.endpoints);
  const missing = names.find((name) => typeof handlers[name] !== 'function');
  if (missing !== undefined)
    throw new MicroError('invalid', `definition of "${definition.name}": "${missing}" has no handler`);
  const unknown = Object.keys(handlers).find((name) => !Object.hasOwn(definition.endpoints, name));
  if (unknown !== undefined)
    throw new MicroError('invalid', `definition of "${definition.name}": it has no endpoint "${unknown}"`);
  for (const name of names) addEndpoint(service, definition, name, handlers[name] as never, options, handlers);
}

/** Handles one endpoint of a definition: `service.handle('Greeter.Hello', ...)` with its types. */
export function handle<const D extends ServiceDefinition, const Name extends keyof D['endpoints'] & string>(
  service: Service,
  definition: D,
  name: Name,
  handler: HandlerOf<D['endpoints'][Name]>,
  options: ImplementOptions = {},
): void {
  checkGiven('handle', service, definition);
  new OptionChecks(`definition of "${definition.name}": handle`).named(options, optionNames);
  if (!Object.hasOwn(definition.endpoints, name))
    throw new MicroError('invalid', `definition of "${definition.name}": it has no endpoint "${name}"`);
  addEndpoint(service, definition, name, handler as never, options);
}

/**
 * Handles the events of one topic of a definition. One that does not fit is reported as what a handler throws, and
 * counted, and does not get to the handler.
 */
export function subscribe<const D extends ServiceDefinition, const Topic extends keyof D['events'] & string>(
  service: Service,
  definition: D,
  topic: Topic,
  handler: EventHandlerOf<D['events'][Topic]>,
  options: TypedSubscriptionOptions = {},
): void {
  checkGiven('subscribe', service, definition);
  const checks = new OptionChecks(`service "${service.name}": topic "${topic}"`);
  checks.bag(options);
  checks.function('handler', handler);
  const schema = Object.hasOwn(definition.events, topic) ? definition.events[topic] : undefined;
  if (schema === undefined)
    throw new MicroError('invalid', `definition of "${definition.name}": it has no event "${topic}"`);
  const { validate = true, advertiseSchemas = true, ...others } = options;
  const refusal = refusalOf(
    (message) => new MicroError('malformed', message),
    `${service.name} ${topic}: the event does not fit`,
  );
  const check = incomingCheck(schema, validate, refusal);
  service.subscribe(
    topic,
    (event, context) => {
      const checked = check === undefined ? event : check(event);
      const run = handler as EventHandlerOf<never>;
      return isPromise(checked)
        ? inTime(checked, [context], `${service.name} ${topic}: the check of the event`).then((value) =>
            run(value as never, context),
          )
        : run(checked as never, context);
    },
    { ...eventOptions(definition, topic, schema, advertiseSchemas ? budgetOf(service) : undefined), ...others },
  );
}

function addEndpoint(
  service: Service,
  definition: ServiceDefinition,
  name: string,
  handler: (...given: never[]) => never,
  options: ImplementOptions,
  handlers?: object,
): void {
  const endpoint = definition.endpoints[name] as ServiceDefinition['endpoints'][string];
  checkHandler(`service "${service.name}": endpoint "${name}"`, endpoint.kind, handler);
  const init = {
    what: `${service.name} ${name}`,
    service: service.name,
    endpoint,
    validateRequests: options.validateRequests ?? true,
    validateResponses: options.validateResponses ?? true,
  };
  const budget = (options.advertiseSchemas ?? true) ? budgetOf(service) : undefined;
  const described = handleOptions(definition, name, endpoint, budget);
  // Handlers may be methods.
  const run = handlers === undefined ? handler : handler.bind(handlers);
  if (endpoint.kind === 'unary') service.handle(name, unaryHandler(init, run as never), described);
  else service.handleStream(name, streamHandler(init, endpoint.kind, run as never), described);
}

function checkGiven(method: string, service: unknown, definition: unknown): void {
  const checks = new OptionChecks(`definition: ${method}`);
  checks.methods('service', service, method === 'subscribe' ? 'subscribe' : 'handle');
  if (!isDefinition(definition)) throw checks.invalid('definition', definition, 'what defineService returns');
}

/** A generator is fine where it makes what is sent; else nothing of it would run. */
function checkHandler(what: string, kind: EndpointKind, handler: unknown): void {
  const checks = new OptionChecks(what);
  const mayGenerate = kind === 'serverStream' || (kind === 'bidiStream' && types.isAsyncFunction(handler));
  if (typeof handler !== 'function' || !mayGenerate) checks.function('handler', handler);
}

function budgetOf(service: Service): SchemaBudget {
  const budget = budgets.get(service) ?? new SchemaBudget();
  budgets.set(service, budget);
  return budget;
}

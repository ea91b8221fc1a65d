import type { ValueRecord } from '@ts-micro/core';
import { OptionChecks } from '@ts-micro/kit';
import type { SubscriptionOptions } from './events/subscription.ts';
import type { HandleOptions } from './serve/routes.ts';

/** Throws `invalid` for options of an endpoint, or of a subscription, that nothing can be done with. */
export function checkAdvertised(what: string, options: HandleOptions & SubscriptionOptions): void {
  const checks = new OptionChecks(what);
  checks.bag(options);
  const { metadata, codecs, request, response, event } = options;
  if (metadata !== undefined) checks.texts('metadata', metadata);
  if (codecs !== undefined) checks.methods('codecs', codecs, 'get', 'legacy');
  for (const [option, shape] of Object.entries({ request, response, event }))
    if (shape !== undefined && !isShape(shape)) throw checks.invalid(option, shape, 'one of name, type and values');
}

function isShape(shape: Partial<ValueRecord> | null): boolean {
  return typeof shape?.name === 'string' && typeof shape.type === 'string' && Array.isArray(shape.values);
}

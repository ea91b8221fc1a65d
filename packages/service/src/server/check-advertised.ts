import type { ValueRecord } from '@ts-micro/core';
import { OptionChecks, type OptionNames } from '@ts-micro/kit';
import type { SubscriptionOptions } from './events/subscription.ts';
import type { HandleOptions } from './serve/routes.ts';

const common = { metadata: ['headers'], codecs: ['codec'], internal: true } as const;

export const handleOptionNames: OptionNames<HandleOptions> = { ...common, request: true, response: true };
export const subscriptionOptionNames: OptionNames<SubscriptionOptions> = {
  ...common,
  queue: ['group', 'queueGroup'],
  concurrency: true,
  event: true,
};

/** Throws `invalid` for options of an endpoint, or of a subscription, that nothing can be done with. */
export function checkAdvertised(
  what: string,
  options: HandleOptions & SubscriptionOptions,
  names: OptionNames<object>,
): void {
  const checks = new OptionChecks(what);
  checks.named(options, names);
  const { metadata, codecs, internal, queue, concurrency, request, response, event } = options;
  if (metadata !== undefined) checks.texts('metadata', metadata);
  if (codecs !== undefined) checks.methods('codecs', codecs, 'get', 'legacy');
  if (internal !== undefined) checks.boolean('internal', internal);
  if (queue !== undefined) checks.text('queue', queue);
  if (concurrency !== undefined) checks.whole('concurrency', concurrency);
  for (const [option, shape] of Object.entries({ request, response, event }))
    if (shape !== undefined && !isShape(shape)) throw checks.invalid(option, shape, 'one of name, type and values');
}

function isShape(shape: Partial<ValueRecord> | null): boolean {
  return typeof shape?.name === 'string' && typeof shape.type === 'string' && Array.isArray(shape.values);
}

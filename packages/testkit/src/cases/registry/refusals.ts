import { rejection } from '../../assertions.ts';
import type { Refusals } from '../../needs.ts';
import { simple } from './records.ts';

export const registryRefusals: Refusals<'registry'> = {
  async ttl(context) {
    const registry = await context.open();
    const registering = registry.register(simple(context.unique('service'), '1', 'a'), { ttlMs: 60_000 });
    await rejection(context.within(registering, 'register'), 'registering with a ttlMs', 'unsupported');
  },
  async watch(context) {
    const registry = await context.open();
    await rejection(context.within(registry.watch(), 'watch'), 'watching', 'unsupported');
  },
};

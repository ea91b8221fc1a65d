import { rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { lookUp, register, sees, simple } from '../registry/records.ts';
import { announces, watchFrom } from '../registry/watching.ts';
import { foreignBytes } from './foreign-bytes.ts';

export const hostileToRegistries: readonly ContractCase<'registry'>[] = casesOf('registry', 'Registry', [
  {
    id: 'registry/foreign-bytes',
    title: 'bytes that another program put there hide no service',
    needs: ['inject'],
    async run(context) {
      const [registrar, registry] = [await context.open(), await context.open()];
      const name = context.unique('service');
      const record = simple(name, '1', 'a');
      await register(context, registrar, record);
      await sees(context, registry, name, record);
      for (const [, bytes] of foreignBytes) {
        await context.hooks.inject(bytes, name);
        for (const each of [registry, registrar, await context.open()]) await sees(context, each, name, record);
        await context.within(registry.listServices(), 'listServices');
      }
      if (!context.supports.watch) return;
      // A watcher that meets them as it begins, and one that hears of changes behind them.
      const watching = await watchFrom(context, registry, name, record);
      await register(context, registrar, simple(name, '2', 'b'));
      await announces(context, watching, 'create', simple(name, '2', 'b'));
    },
  },
  {
    id: 'registry/bad-credentials',
    title: 'credentials that the server refuses are `unauthorized`',
    needs: ['badCredentials'],
    async run(context) {
      const registry = await context.openRefused();
      const record = simple(context.unique('service'), '1', 'a');
      await rejection(register(context, registry, record), 'register with bad credentials', 'unauthorized');
      await rejection(lookUp(context, registry, record.name), 'getService with bad credentials', 'unauthorized');
      await rejection(
        context.within(registry.listServices(), 'listServices'),
        'listServices with bad credentials',
        'unauthorized',
      );
    },
  },
]);

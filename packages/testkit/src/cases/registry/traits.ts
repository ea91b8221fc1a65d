import type { ContractCase } from '../../contract-case.ts';
import { traitsOf } from '../traits.ts';
import { simple } from './records.ts';
import { watchFrom } from './watching.ts';

export const traits: readonly ContractCase<'registry'>[] = [
  ...traitsOf(
    {
      interface: 'registry',
      subject: 'Registry',
      async make(context) {
        const closable = await context.open();
        const record = simple(context.unique('service'), '1', 'a');
        const watching = { name: 'watch', run: (options = {}) => closable.watch(options) };
        return {
          closable,
          calls: [
            { name: 'register', run: (options) => closable.register(record, options) },
            { name: 'deregister', run: (options) => closable.deregister(record, options) },
            { name: 'getService', run: (options) => closable.getService(record.name, options) },
            { name: 'listServices', run: (options) => closable.listServices(options) },
            ...(context.supports.watch ? [watching] : []),
          ],
        };
      },
    },
    true,
  ),
  ...traitsOf(
    {
      interface: 'registry',
      subject: 'Watcher',
      needs: ['watch'],
      async make(context) {
        const closable = await watchFrom(context, await context.open(), context.unique('service'));
        return {
          closable,
          calls: [{ name: 'receive', waits: true, run: (options) => closable.receive(options) }],
        };
      },
    },
    true,
  ),
];

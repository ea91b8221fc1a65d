import { message } from '../../assertions.ts';
import type { ContractCase } from '../../contract-case.ts';
import { traitsOf } from '../traits.ts';
import { pair, serve } from './pair.ts';

export const traits: readonly ContractCase<'transport'>[] = [
  ...traitsOf(
    {
      interface: 'transport',
      subject: 'Transport',
      async make(context) {
        const { listener } = await serve(context);
        const closable = await context.open();
        return {
          closable,
          calls: [
            { name: 'dial', run: (options) => closable.dial(listener.address, options) },
            { name: 'listen', run: (options) => closable.listen(undefined, options) },
          ],
        };
      },
    },
    true,
  ),
  ...traitsOf(
    {
      interface: 'transport',
      subject: 'Listener',
      async make(context) {
        const transport = await context.open();
        const closable = await context.within(transport.listen(), 'listen');
        return {
          closable,
          calls: [{ name: 'accept', once: true, run: (options) => closable.accept(() => {}, options) }],
        };
      },
    },
    true,
  ),
  ...traitsOf(
    {
      interface: 'transport',
      subject: 'Socket',
      async make(context) {
        const { dialled: closable } = await pair(context);
        return {
          closable,
          calls: [
            { name: 'send', run: (options) => closable.send(message('call'), options) },
            { name: 'receive', waits: true, run: (options) => closable.receive(options) },
          ],
        };
      },
    },
    true,
  ),
];

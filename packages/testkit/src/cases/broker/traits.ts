import { message } from '../../assertions.ts';
import type { ContractCase } from '../../contract-case.ts';
import { traitsOf } from '../traits.ts';

export const traits: readonly ContractCase<'broker'>[] = [
  ...traitsOf(
    {
      interface: 'broker',
      subject: 'Broker',
      async make(context) {
        const closable = await context.open();
        const topic = context.unique('topic');
        return {
          closable,
          calls: [
            { name: 'connect', run: (options) => closable.connect(options) },
            { name: 'publish', run: (options) => closable.publish(topic, message('call'), options) },
            { name: 'subscribe', run: (options) => closable.subscribe(topic, () => {}, options) },
          ],
        };
      },
    },
    true,
  ),
  ...traitsOf(
    {
      interface: 'broker',
      subject: 'Subscriber',
      async make(context) {
        const broker = await context.open();
        const subscribing = broker.subscribe(context.unique('topic'), () => {});
        return { closable: await context.within(subscribing, 'subscribe'), calls: [] };
      },
    },
    false,
  ),
];

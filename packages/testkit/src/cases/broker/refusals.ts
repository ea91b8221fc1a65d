import { rejection } from '../../assertions.ts';
import { largestBodyBytes, type Refusals } from '../../needs.ts';
import { largeMessage } from '../odd-messages.ts';
import { assertArrives } from './content.ts';

export const brokerRefusals: Refusals<'broker'> = {
  async queues(context) {
    const broker = await context.open();
    const subscribing = broker.subscribe(context.unique('topic'), () => {}, { queue: 'workers' });
    await rejection(context.within(subscribing, 'subscribe'), 'subscribing with a queue', 'unsupported');
  },
  async wildcards(context) {
    const broker = await context.open();
    const a = context.unique('a');
    for (const pattern of [`${a}.*`, `*.${a}`, `${a}.>`]) {
      const subscribing = broker.subscribe(pattern, () => {});
      await rejection(context.within(subscribing, 'subscribe'), `subscribing to ${pattern}`, 'unsupported');
    }
  },
  async bodyLimit(context) {
    await assertArrives(context, largeMessage(largestBodyBytes));
  },
};

import { message, rejection } from '../../assertions.ts';
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
  async durableQueues(context) {
    const broker = await context.open();
    const topic = context.unique('topic');
    const subscribing = broker.subscribe(topic, () => {}, { queue: 'workers', durable: true });
    await rejection(context.within(subscribing, 'subscribe'), 'subscribing with durable', 'unsupported');
    const publishing = broker.publish(topic, message('once'), { id: context.unique('id') });
    await rejection(context.within(publishing, 'publish'), 'publishing with an id', 'unsupported');
  },
  async redelivery(context) {
    const broker = await context.open();
    const subscribing = broker.subscribe(context.unique('topic'), () => {}, { queue: 'workers', redelivery: {} });
    await rejection(context.within(subscribing, 'subscribe'), 'subscribing with redelivery', 'unsupported');
  },
  async bodyLimit(context) {
    await assertArrives(context, largeMessage(largestBodyBytes));
  },
};

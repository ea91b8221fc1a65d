import { type Context, ServiceBroker } from 'moleculer';
import { patienceMs } from '../harness/open-load.ts';
import { heavyAnswer } from '../harness/report/heavy-answer.ts';
import { answer, type Sample } from '../harness/report/sample.ts';
import type { Contender, ContenderClient, Meeting } from './contender.ts';

/** Moleculer with its NATS transporter and JSON serializer, which are its defaults. */
export const contender: Contender = {
  async serve(meeting, onEvent) {
    const broker = brokerOf(meeting, 'server');
    broker.createService({
      name: 'bench',
      actions: {
        echo: (context: Context<Sample>) => answer(context.params),
        heavy: (context: Context<Sample>) => heavyAnswer(context.params),
      },
      events: { 'bench.event': (context: Context<Sample>) => onEvent(context.params) },
    });
    await broker.start();
    return { close: () => broker.stop() };
  },

  async connect(meeting): Promise<ContenderClient> {
    const broker = brokerOf(meeting, 'client');
    await broker.start();
    await broker.waitForServices('bench', 10_000);
    return {
      call: (request) => broker.call<Sample, Sample>('bench.echo', request),
      callHeavy: (request) => broker.call<Sample, Sample>('bench.heavy', request, { timeout: patienceMs }),
      publish: (event) => broker.emit('bench.event', event),
      close: () => broker.stop(),
    };
  },
};

function brokerOf({ address, name }: Meeting, nodeID: string): ServiceBroker {
  return new ServiceBroker({ namespace: name, nodeID, transporter: `nats://${address}`, logger: false });
}

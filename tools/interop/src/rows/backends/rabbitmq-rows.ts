import assert from 'node:assert/strict';
import type { Row } from '../../matrix/row.ts';

const answers = 300;

/** What Go's plugin for RabbitMQ does otherwise than those for NATS. Calls and streams are the rows of all backends. */
export const rabbitmqRows: readonly Row[] = [
  {
    // Its client hands each delivery on by a goroutine of its own (`go r.handle(delivery)`). Seen on the wire, in Go:
    //   TypeScript -> RabbitMQ -> Go  basic.deliver of 1, 2, 3, ... 145, 146, 147, and last the end of the stream
    //   Go's Recv                     1, 2, 3, ... 145, 147, 146, ...; what the end overtakes is lost
    id: 'rabbitmq-go-order',
    title: 'over RabbitMQ, the Go plugin hands the answers of a stream to its client in any order, each once',
    direction: 'go->ts',
    generations: ['plugins'],
    run: async (stage) => {
      await stage.tsServer();
      const go = await stage.goClient();
      const steps = [{ send: { to: answers } }, { receiveAll: true }];
      const answer = await go.command({ op: 'stream', service: stage.tsService, endpoint: 'Greeter.Count', steps });
      const { end, received } = answer as unknown as { end: string; received: readonly { value: number }[] };
      assert.equal(end, 'eof');
      const values = received.map(({ value }) => value);
      assert.ok(values.length > 0 && new Set(values).size === values.length, `${values.length} answers`);
      assert.ok(
        values.every((value) => value >= 1 && value <= answers),
        String(values),
      );
    },
  },
];

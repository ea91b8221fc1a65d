import type { ContenderServer, EventTopic, Meeting } from '../contenders/contender.ts';
import { loadContender } from '../contenders/contenders.ts';
import { answerCommands } from '../harness/answer-commands.ts';
import { cpuMs } from '../harness/cpu-time.ts';
import { EventCount } from '../harness/event-count.ts';

/** The process of a contender's answering half. */
const counts: Readonly<Record<EventTopic, EventCount>> = {
  events: new EventCount(),
  many: new EventCount({ isMixed: true }),
  shared: new EventCount({ isMixed: true }),
};
let server: ContenderServer | undefined;

answerCommands({
  async serve(meeting: Meeting) {
    const contender = await loadContender(meeting.name);
    server = await contender.serve(meeting, (event, topic = 'events') => counts[topic].add(event));
  },
  /** Waits for so many events from now on, each so many times. */
  events: ({
    topic,
    count,
    copies,
    withinMs,
  }: {
    topic: EventTopic;
    count: number;
    copies: number;
    withinMs: number;
  }) => counts[topic].expect(count, copies, withinMs),
  cpu: () => cpuMs(),
  close: () => server?.close(),
});

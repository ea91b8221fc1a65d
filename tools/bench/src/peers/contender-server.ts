import type { ContenderServer, Meeting } from '../contenders/contender.ts';
import { loadContender } from '../contenders/contenders.ts';
import { answerCommands } from '../harness/answer-commands.ts';
import { cpuMs } from '../harness/cpu-time.ts';
import { EventCount } from '../harness/event-count.ts';

/** The process of a contender's answering half. */
const events = new EventCount();
let server: ContenderServer | undefined;

answerCommands({
  async serve(meeting: Meeting) {
    const contender = await loadContender(meeting.name);
    server = await contender.serve(meeting, (event) => events.add(event));
  },
  /** Waits for so many events from now on. */
  events: ({ count, withinMs }: { count: number; withinMs: number }) => events.expect(count, withinMs),
  cpu: () => cpuMs(),
  close: () => server?.close(),
});

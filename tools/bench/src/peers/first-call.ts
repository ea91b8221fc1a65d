import type { Meeting } from '../contenders/contender.ts';
import { loadContender } from '../contenders/contenders.ts';
import { answerCommands } from '../harness/answer-commands.ts';
import { clockMs } from '../harness/clock.ts';
import { checkAnswer, sample } from '../harness/report/sample.ts';

/** A process that makes one call. */
let close = async (): Promise<void> => {};

answerCommands({
  /** Resolves with the time of the answer, on the clock that all processes share. */
  async firstCall(meeting: Meeting) {
    const client = await (await loadContender(meeting.name)).connect(meeting);
    close = () => client.close();
    const reply = await client.call(sample(0));
    const answeredAtMs = clockMs();
    checkAnswer(sample(0), reply);
    return answeredAtMs;
  },
  close: () => close(),
});

import type { Contender, ContenderClient, EventTopic, Meeting } from '../contenders/contender.ts';
import { loadContender } from '../contenders/contenders.ts';
import { answerCommands } from '../harness/answer-commands.ts';
import { Caller, type CallPlan } from '../harness/caller.ts';
import { clockMs } from '../harness/clock.ts';
import { cpuMs } from '../harness/cpu-time.ts';
import { type LoadPlan, offerLoad } from '../harness/open-load.ts';
import { checkAnswer, checkSample, sample } from '../harness/report/sample.ts';
import { sendSamples } from '../harness/report/send-samples.ts';
import { quantile } from '../harness/report/statistics.ts';

/** The process of a contender's asking half. */
let contender: Contender | undefined;
let client: ContenderClient | undefined;

answerCommands({
  async load({ name }: { name: string }) {
    contender = await loadContender(name);
  },
  async connect(meeting: Meeting) {
    client = await loaded().connect(meeting);
  },
  /** From loaded modules to the first answer. */
  async firstCall(meeting: Meeting) {
    const request = sample(0);
    const beganAtMs = clockMs();
    client = await loaded().connect(meeting);
    const reply = await client.call(request);
    const elapsedMs = clockMs() - beganAtMs;
    checkAnswer(request, reply);
    return elapsedMs;
  },
  calls: (plan: CallPlan) => new Caller(connected(), plan).run(),
  heavyCalls(plan: CallPlan) {
    const { callHeavy, close } = connected();
    if (callHeavy === undefined) throw new Error('has no heavy calls');
    return new Caller({ call: callHeavy, close }, plan).run();
  },
  openLoad: (plan: LoadPlan) => offerLoad(connected(), plan),
  async publish({ count, topic }: { count: number; topic: EventTopic }) {
    const publisher = connected();
    if (publisher.publish === undefined) throw new Error('does not publish');
    const cpuBefore = cpuMs();
    const beganAtMs = clockMs();
    await sendSamples(count, (event) => publisher.publish?.(event, topic));
    return { beganAtMs, cpuMs: cpuMs() - cpuBefore };
  },
  async stream({ count }: { count: number }) {
    const reader = connected();
    if (reader.stream === undefined) throw new Error('has no streams');
    let received = 0;
    const cpuBefore = cpuMs();
    const beganAtMs = clockMs();
    await reader.stream(count, (message) => checkSample(received++, message));
    const elapsedMs = clockMs() - beganAtMs;
    if (received !== count) throw new Error(`the stream brought ${received} of ${count} messages`);
    return { elapsedMs, cpuMs: cpuMs() - cpuBefore };
  },
  async pingPong({ count }: { count: number }) {
    const times = await connected().pingPong?.(count);
    if (times === undefined) throw new Error('has no streams both ways');
    const sorted = [...times].sort((one, other) => one - other);
    return { p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99) };
  },
  cpu: () => cpuMs(),
  close: () => client?.close(),
});

function loaded(): Contender {
  if (contender === undefined) throw new Error('no contender is loaded');
  return contender;
}

function connected(): ContenderClient {
  if (client === undefined) throw new Error('not connected');
  return client;
}

import {
  type BoundCase,
  brokerContract,
  type Contract,
  ContractError,
  runContract,
  runProgram,
} from '@ts-micro/testkit';
import { afterEach, expect, test, vi } from 'vitest';
import type { CaseResult } from '../src/run/case-result.ts';
import { Patience } from '../src/run/patience.ts';
import { runThing, thing } from './thing.ts';

const hasty = { factor: 0.005 };

afterEach(() => {
  vi.restoreAllMocks();
});

test('a wait that ran out names the calls that have not settled, the longest first', async () => {
  const result = await runThing(
    async (context) => {
      const broker = await context.open();
      void broker.publish('orders', { headers: {}, body: new Uint8Array() });
      await broker.publish('done', { headers: {}, body: new Uint8Array() });
      await context.within(broker.publish('users', { headers: {}, body: new Uint8Array() }), 'publishing on users');
    },
    { backend: { name: 'thing', open: () => silent(['orders', 'users']), timing: hasty } },
  );
  expect(result.reason).toMatch(
    /^publishing on users: still waiting after 50 ms; open: broker1\.publish\("orders".*; open: broker1\.publish\("users"/,
  );
  expect(result.open).toEqual([
    expect.stringMatching(/^broker1\.publish\("orders", .*\), for \d+ ms$/),
    expect.stringMatching(/^broker1\.publish\("users", .*\), for \d+ ms$/),
  ]);
});

test('a failure that is no wait names no open call', async () => {
  const result = await runThing(
    async (context) => {
      const broker = await context.open();
      void broker.publish('orders', { headers: {}, body: new Uint8Array() });
      throw new Error('something else');
    },
    { backend: { name: 'thing', open: () => silent(['orders']), timing: hasty } },
  );
  expect([result.reason, result.open]).toEqual(['something else', []]);
});

test('under any runner a wait that ran out says what was waited for, and what was sent and received', async () => {
  const contract = brokerContract({ name: 'thing', open: () => silent(), timing: hasty });
  const bound = contract.cases.find(({ id }) => id === 'broker/prototype-headers');
  const error = await bound?.verify().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ContractError);
  const { message } = error as ContractError;
  expect(message).toContain('thing: broker contract: broker/prototype-headers: ');
  expect(message).toMatch(/still waiting after \d+ ms/);
  expect(message).toContain('sent and received (last ');
});

test('after three failures of one cause waits are a tenth as long, and a failure says so', async () => {
  const contract = brokerContract({ name: 'thing', open: () => silent(), timing: hasty });
  const ids = ['broker/nobody-subscribes', 'broker/aborted-publish'];
  const cases = contract.cases.filter(({ id, needs }) => needs.length === 0 && !ids.includes(id)).slice(0, 5);
  const { results } = await runContract({ ...contract, cases });
  const note = 'waits are a tenth as long since three cases failed: ';
  expect(results.map(({ reason = '' }) => reason.includes(note))).toEqual([false, false, false, true, true]);
});

test('failures of different causes leave the waits as long as they are', () => {
  const patience = new Patience({ factor: 2, ttlStepMs: 7 });
  for (const reason of ['lost 3 of 10', 'the body differs', 'publish: still waiting after 5 ms']) patience.note(reason);
  expect(patience.timing).toEqual({ factor: 2, ttlStepMs: 7 });
  for (const reason of ['lost 5 of 20', 'lost 1 of 7']) patience.note(reason);
  expect(patience.timing).toEqual({ factor: 0.2, ttlStepMs: 7 });
  expect(patience.shortBecause).toBe('lost # of #');
});

test('a program ends where a backend has left timers, with 1 where a case failed, and prints its report', async () => {
  const timer = setInterval(() => {}, 60_000);
  try {
    expect(await endOf(contractOf('passed'), ['--json'])).toMatchObject({
      status: 0,
      report: { passed: 1, failed: 0 },
    });
    expect(await endOf(contractOf('passed', 'failed'), ['--json'])).toMatchObject({ status: 1, report: { failed: 1 } });
    expect(timer.hasRef()).toBe(true);
  } finally {
    clearInterval(timer);
  }
});

test('a program stops at the first failure with `--bail`, and runs what `--only` names', async () => {
  const contract = contractOf('failed', 'passed');
  expect((await endOf(contract, ['--json', '--bail'])).report.results).toHaveLength(1);
  const { status, report } = await endOf(contract, ['--json', '--only', 'case-1']);
  expect([status, report.name, report.results.map(({ id }) => id)]).toEqual([
    0,
    'made up, only "case-1"',
    ['broker/case-1'],
  ]);
  expect((await endOf(contract, ['--json', '--only', 'no such case'])).status).toBe(1);
});

/** A broker that never settles a publish on these topics, or on any. */
function silent(topics?: readonly string[]): ReturnType<typeof thing> {
  const broker = thing();
  const publish = (topic: string) =>
    topics === undefined || topics.includes(topic) ? new Promise<void>(() => {}) : Promise.resolve();
  return Object.assign(broker, { publish, subscribe: () => new Promise(() => {}) });
}

/** A contract of cases that end so. */
function contractOf(...statuses: CaseResult['status'][]): Contract {
  const cases = statuses.map((status, index): BoundCase => {
    const summary = { id: `broker/case-${index}`, title: 'made up', subject: 'Broker', level: 'calm' as const };
    return {
      ...summary,
      needs: [],
      limitMs: 1,
      run: async () => ({ ...summary, status, ms: 1 }),
      verify: async () => {},
    };
  });
  return { name: 'made up', interface: 'broker', cases, leftOut: [] };
}

/** What a program ends with, and what it prints. */
async function endOf(
  contract: Contract,
  args: readonly string[],
): Promise<{ status: number | undefined; report: Awaited<ReturnType<typeof runContract>> }> {
  let status: number | undefined;
  let printed = '';
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    status = Number(code);
    return undefined as never;
  });
  vi.spyOn(process.stdout, 'write').mockImplementation((text, done: unknown) => {
    printed += String(text);
    if (typeof done === 'function') done();
    return true;
  });
  const before = {
    exceptions: process.listeners('uncaughtException'),
    rejections: process.listeners('unhandledRejection'),
  };
  try {
    await runProgram(contract, args);
  } finally {
    // A program would have ended, and its listeners with it.
    for (const each of process.listeners('uncaughtException'))
      if (!before.exceptions.includes(each)) process.off('uncaughtException', each);
    for (const each of process.listeners('unhandledRejection'))
      if (!before.rejections.includes(each)) process.off('unhandledRejection', each);
    vi.restoreAllMocks();
  }
  return { status, report: JSON.parse(printed) };
}

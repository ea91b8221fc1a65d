import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { type AbortOptions, type Closable, MicroError } from '@ts-micro/core';
import { assertError, rejection } from '../assertions.ts';
import type { InterfaceName } from '../backend.ts';
import type { CaseContext } from '../case-context.ts';
import { type ContractCase, casesOf, type Need, type Subject } from '../contract-case.ts';

/** One method of a closable, to be called in every situation. */
interface Call {
  readonly name: string;
  run(options?: AbortOptions): Promise<unknown>;
  /** It waits until something happens that does not. */
  readonly waits?: boolean;
  /** Only one call of it succeeds on the same object; others are refused with `conflict`. */
  readonly once?: boolean;
}

/** How to get a closable of one kind, fresh and open, and what can be called on it. */
export interface TraitSubject<I extends InterfaceName> {
  readonly interface: I;
  readonly subject: Subject;
  readonly needs?: readonly Need<I>[];
  make(context: CaseContext<I>): Promise<{ readonly closable: Closable; readonly calls: readonly Call[] }>;
}

/** The contract of `Closable`, applied to one kind of object and to each of its methods. */
export function traitsOf<I extends InterfaceName>(
  trait: TraitSubject<I>,
  hasMethods: boolean,
): readonly ContractCase<I>[] {
  const { subject, needs } = trait;
  const id = (slug: string) => `${trait.interface}/${subject.toLowerCase()}-${slug}`;
  const all: (Omit<ContractCase<I>, 'interface' | 'subject' | 'needs'> & { readonly isAboutMethods?: boolean })[] = [
    {
      id: id('refuses-after-close'),
      title: 'methods refuse with `closed` after close',
      isAboutMethods: true,
      async run(context) {
        const { closable, calls } = await trait.make(context);
        await context.within(closable.close(), 'close');
        for (const call of calls)
          await rejection(context.within(call.run(), call.name), `${call.name} after close`, 'closed');
      },
    },
    {
      id: id('closes-once'),
      title: 'closing twice is one close',
      async run(context) {
        const { closable } = await trait.make(context);
        await context.within(Promise.all([closable.close(), closable.close()]), 'two closes at once');
        await context.within(closable.close(), 'a third close');
        assert.equal(await context.within(closable.closed, 'closed'), undefined, 'closed');
      },
    },
    {
      id: id('closed-resolves'),
      title: '`closed` resolves with `undefined` after a plain close',
      async run(context) {
        const { closable } = await trait.make(context);
        let isClosed = false;
        const closed = closable.closed.then((cause) => {
          isClosed = true;
          return cause;
        });
        await new Promise((resolve) => setImmediate(resolve));
        assert.equal(isClosed, false, 'closed resolved while it is open');
        await context.within(closable.close(), 'close');
        assert.equal(await context.within(closed, 'closed'), undefined, 'closed, asked before the close');
        assert.equal(await context.within(closable.closed, 'closed'), undefined, 'closed, asked after the close');
      },
    },
    {
      id: id('disposes'),
      title: '`await using` closes',
      async run(context) {
        const { closable } = await trait.make(context);
        const scope = async (): Promise<void> => {
          await using resource = closable;
          assert.equal(typeof resource.close, 'function');
        };
        await context.within(scope(), 'the end of the scope');
        assert.equal(await context.within(closable.closed, 'closed'), undefined, 'closed');
      },
    },
    {
      id: id('aborted-before'),
      title: "a method given an aborted signal rejects with `canceled`, the signal's reason as cause",
      isAboutMethods: true,
      async run(context) {
        const { calls } = await trait.make(context);
        for (const call of calls) {
          const reason = new Error('enough');
          const calling = call.run({ signal: AbortSignal.abort(reason) });
          const error = await rejection(context.within(calling, call.name), `${call.name} aborted before`, 'canceled');
          assert.equal(error.cause, reason, `${call.name}: the cause is the reason of the signal`);
        }
        for (const call of calls)
          if (!call.waits) await context.within(call.run(), `${call.name} after an aborted one`);
      },
    },
    {
      id: id('deadline-passed'),
      title: 'a method given a deadline that has passed rejects with `timeout`',
      isAboutMethods: true,
      async run(context) {
        const { calls } = await trait.make(context);
        const signal = AbortSignal.abort(new DOMException('the deadline has passed', 'TimeoutError'));
        for (const call of calls)
          await rejection(context.within(call.run({ signal }), call.name), `${call.name} past its deadline`, 'timeout');
      },
    },
    {
      id: id('keeps-no-listener'),
      title: 'a settled call keeps no listener on its signal',
      isAboutMethods: true,
      async run(context) {
        const { calls } = await trait.make(context);
        for (const call of calls) {
          const controller = new AbortController();
          const calling = context.within(call.run({ signal: controller.signal }), call.name);
          if (call.waits) {
            controller.abort();
            await rejection(calling, `${call.name} aborted while waiting`, 'canceled');
          } else {
            await calling;
          }
          assert.equal(getEventListeners(controller.signal, 'abort').length, 0, `${call.name} left a listener`);
        }
      },
    },
    {
      id: id('concurrent-calls'),
      title: 'calls made at once from many callers all succeed',
      isAboutMethods: true,
      async run(context) {
        const { calls } = await trait.make(context);
        const controller = new AbortController();
        const { signal } = controller;
        const waiting = calls.flatMap((call) => (call.waits ? times(10, () => call.run({ signal })) : []));
        const waited = context.within(Promise.allSettled(waiting), 'the waits');
        const racing = calls.filter(({ once }) => once).map((call) => Promise.allSettled(times(10, () => call.run())));
        const running = calls.flatMap((call) => (call.waits || call.once ? [] : times(10, () => call.run())));
        await context.within(Promise.all(running), 'calls at once');
        for (const race of racing) {
          const results = await context.within(race, 'calls at once of which one succeeds');
          assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1, 'how many calls succeed');
          for (const result of results)
            if (result.status === 'rejected') assertError(result.reason, 'one of the other calls', 'conflict');
        }
        controller.abort();
        for (const result of await waited)
          if (result.status === 'rejected') assert.ok(MicroError.is(result.reason, 'canceled'), `${result.reason}`);
      },
    },
    {
      id: id('close-settles-calls'),
      title: 'closing while calls are under way settles them all',
      isAboutMethods: true,
      async run(context) {
        const { closable, calls } = await trait.make(context);
        const running = calls.flatMap((call) => times(call.once ? 1 : 5, () => call.run()));
        const settled = context.within(Promise.allSettled(running), 'the calls that were under way');
        await context.within(closable.close(), 'close');
        for (const result of await settled) {
          if (result.status === 'fulfilled') continue;
          const { reason } = result;
          assert.ok(MicroError.is(reason), `a call rejected with what is no MicroError: ${reason}`);
          const isFair = reason.code === 'closed' || reason.code === 'canceled' || reason.code === 'unavailable';
          assert.ok(isFair, `a call rejected with ${reason.code} (${reason.message})`);
        }
      },
    },
  ];
  return casesOf(
    trait.interface,
    subject,
    all
      .filter(({ isAboutMethods }) => hasMethods || !isAboutMethods)
      .map(({ id, title, run }) => ({ id, title, run, ...(needs && { needs }) })),
  );
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

import { type AbortOptions, type Closable, MicroError } from '@ts-micro/core';
import type { InterfaceName, Interfaces } from '@ts-micro/testkit';
import { type Mutant, mutantsOf } from './mutant.ts';
import { never } from './never.ts';
import { recoded } from './recoded.ts';

type Method = (...values: unknown[]) => Promise<unknown>;

type Draft = Omit<Mutant, 'interface' | 'make'> & { members(object: Closable): Record<string, unknown> };

/** A kind of closable: where a backend hands it out, and its methods with the place of their options. */
export interface Surface<I extends InterfaceName> {
  readonly interface: I;
  readonly subject: string;
  readonly methods: Readonly<Record<string, number>>;
  /** Breaks every object of the kind. */
  alter(members: (object: Closable) => Record<string, unknown>): (sound: Interfaces[I]) => Interfaces[I];
}

/** Mutants that break what every closable promises: for one kind, each of its methods in turn. */
export function traitMutants<I extends InterfaceName>(surface: Surface<I>): readonly Mutant<I>[] {
  const drafts = [
    ...endings(surface.subject),
    ...Object.entries(surface.methods).flatMap(([method, place]) => calls(surface.subject, method, place)),
  ];
  return mutantsOf(
    surface.interface,
    drafts.map(({ members, ...draft }) => ({ ...draft, make: () => surface.alter(members) })),
  );
}

function endings(subject: string): readonly Draft[] {
  return [
    {
      name: `${subject} closes only once`,
      breaks: `The second close of a ${subject} rejects.`,
      caughtBy: [`${subject}-closes-once`],
      members(object) {
        let isClosed = false;
        return {
          async close(options?: AbortOptions) {
            if (isClosed) throw new MicroError('closed', `${subject} is closed already`);
            isClosed = true;
            await object.close(options);
          },
        };
      },
    },
    {
      name: `${subject} is closed from the start`,
      breaks: `\`closed\` of a ${subject} resolves while it is open.`,
      caughtBy: [`${subject}-closed-resolves`],
      members: () => ({ closed: Promise.resolve() }),
    },
    {
      name: `${subject} is never closed`,
      breaks: `\`closed\` of a ${subject} never resolves.`,
      caughtBy: [`${subject}-closed-resolves`, `${subject}-closes-once`],
      members: () => ({ closed: never() }),
    },
    {
      name: `${subject} ends with an error`,
      breaks: `\`closed\` of a ${subject} resolves with an error after a plain close.`,
      caughtBy: [`${subject}-closed-resolves`],
      members: (object) => ({
        get closed() {
          return object.closed.then(() => new MicroError('closed', `${subject} is closed`));
        },
      }),
    },
    {
      name: `${subject} is not disposed`,
      breaks: `\`await using\` leaves a ${subject} open.`,
      caughtBy: [`${subject}-disposes`],
      members: () => ({ [Symbol.asyncDispose]: async () => {} }),
    },
  ];
}

function calls(subject: string, name: string, place: number): readonly Draft[] {
  const what = `${subject}.${name}`;
  const draft = (
    fault: string,
    breaks: string,
    slug: string,
    alter: (call: Method, object: Closable) => Method,
  ): Draft => ({
    name: `${what} ${fault}`,
    breaks,
    caughtBy: [`${subject}-${slug}`],
    members: (object) => ({ [name]: alter(methodOf(object, name), object) }),
  });
  return [
    draft('works after close', `\`${what}\` resolves after a close.`, 'refuses-after-close', (call, object) => {
      let isClosed = false;
      void object.closed.then(() => {
        isClosed = true;
      });
      return async (...values) => (isClosed ? undefined : call(...values));
    }),
    draft('is deaf before', `\`${what}\` does not look at a signal aborted before.`, 'aborted-before', (call) => {
      return (...values) => call(...(optionsOf(values, place)?.signal?.aborted ? values.with(place, {}) : values));
    }),
    draft('forgets the reason', `\`${what}\` rejects without the signal's reason.`, 'aborted-before', (call) => {
      return changed(call, (error) => new MicroError(error.code, error.message));
    }),
    draft('takes no deadline', `\`${what}\` calls a passed deadline \`canceled\`.`, 'deadline-passed', (call) => {
      return changed(call, (error) => (error.code === 'timeout' ? recoded(error, 'canceled') : error));
    }),
    draft('keeps listening', `\`${what}\` leaves a listener on the signal.`, 'keeps-no-listener', (call) => {
      return (...values) => {
        optionsOf(values, place)?.signal?.addEventListener('abort', () => {});
        return call(...values);
      };
    }),
    draft('is for one caller', `\`${what}\` refuses while another call runs.`, 'concurrent-calls', (call) => {
      let isBusy = false;
      return async (...values) => {
        if (isBusy) throw new MicroError('unavailable', `${what} is busy`);
        isBusy = true;
        try {
          return await call(...values);
        } finally {
          isBusy = false;
        }
      };
    }),
    {
      name: `${what} is left hanging`,
      breaks: `A \`${what}\` under way when the ${subject} closes never settles.`,
      caughtBy: [`${subject}-close-settles-calls`],
      members(object) {
        const call = methodOf(object, name);
        let isClosing = false;
        return {
          async [name](...values: unknown[]) {
            const wasClosing = isClosing;
            const result = await call(...values).catch((error: unknown) => {
              if (isClosing && !wasClosing) return never();
              throw error;
            });
            return isClosing && !wasClosing ? never() : result;
          },
          close(options?: AbortOptions) {
            isClosing = true;
            return object.close(options);
          },
        };
      },
    },
  ];
}

/** The same call, rejecting with other errors. */
function changed(call: Method, change: (error: MicroError) => MicroError): Method {
  return async (...values) => {
    try {
      return await call(...values);
    } catch (error) {
      throw MicroError.is(error) ? change(error) : error;
    }
  };
}

function methodOf(object: Closable, name: string): Method {
  const method = Reflect.get(object, name) as Method;
  return (...values) => method.apply(object, values);
}

function optionsOf(values: readonly unknown[], place: number): AbortOptions | undefined {
  return values[place] as AbortOptions | undefined;
}

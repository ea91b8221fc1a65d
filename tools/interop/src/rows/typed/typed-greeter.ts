import { randomUUID } from 'node:crypto';
import {
  bidiStream,
  clientStream,
  defineService,
  type Handlers,
  implement,
  serverStream,
  unary,
} from '@ts-micro/definition';
import { createService } from '@ts-micro/service';
import { z } from 'zod';
import type { Stage } from '../../matrix/stage.ts';
import type { PeerLine, PeerProcess } from '../../peer-process.ts';

const value = z.object({ value: z.number() });
const text = z.object({ text: z.string() });

/** The greeter of both languages, as TypeScript defines it. */
export const greeter = defineService({
  name: 'typed.greeter',
  endpoints: {
    'Greeter.Hello': unary({
      request: z.object({ name: z.string().min(1) }),
      response: z.object({ msg: z.string() }),
      errors: { name_too_long: z.object({ limit: z.number() }) },
      description: 'Greets somebody by name.',
    }),
    'Greeter.Count': serverStream({
      request: z.object({ to: z.number().int() }),
      response: value,
      errors: { too_far: z.object({ limit: z.number() }) },
    }),
    'Greeter.Sum': clientStream({ request: value, response: value }),
    'Greeter.Chat': bidiStream({ request: text, response: text }),
  },
});

const handlers: Handlers<typeof greeter> = {
  'Greeter.Hello': ({ name }, _context, fail) => {
    if (name.length > 20) throw fail('name_too_long', { limit: 20 });
    return { msg: name === 'odd' ? (3 as never) : `Hello ${name}` };
  },
  'Greeter.Count': function* ({ to }, _context, fail) {
    if (to > 100) throw fail('too_far', { limit: 100 });
    for (let value = 1; value <= to; value++) yield { value };
  },
  // Zero ends the numbers for clients that cannot say that they are done.
  'Greeter.Sum': async (values) => {
    let sum = 0;
    for await (const { value } of values) {
      if (value === 0) break;
      sum += value;
    }
    return { value: sum };
  },
  'Greeter.Chat': async function* (stream) {
    for await (const { text } of stream) yield { text: text.toUpperCase() };
  },
};

/** Runs `ask` against a typed TypeScript service of its own name, with other handlers where they are given. */
export async function withTyped(
  stage: Stage,
  ask: (service: string) => Promise<void>,
  others: Partial<Handlers<typeof greeter>> = {},
): Promise<void> {
  const { transport, broker, registry } = await stage.tsClient();
  const name = `typed.${randomUUID()}`;
  await using service = createService({ name, transport, broker, registry });
  implement(service, greeter, { ...handlers, ...others });
  await service.start();
  await ask(name);
}

/** What a Go client tells of a command. */
export interface GoAnswer {
  readonly ok: boolean;
  readonly body: unknown;
  readonly end: string;
  readonly received: readonly unknown[] | null;
  /** What became of closing the sending side. */
  readonly closeSend?: string;
  readonly error: {
    readonly id: string;
    readonly code: number;
    readonly detail: string;
    readonly status: string;
    readonly text: string;
  };
}

/** Has a Go client obey, the standing one where none is given. */
export async function command(stage: Stage, fields: PeerLine, client?: PeerProcess): Promise<GoAnswer> {
  return (await (client ?? (await stage.goClient())).command(fields)) as unknown as GoAnswer;
}

import { bidiStream, defineService, serverStream, unary } from '@ts-micro/definition';
import { z } from 'zod';

/** What the greeter understands and answers: its server implements it, its client calls by it. */
export const greeter = defineService({
  name: 'greeter',
  endpoints: {
    'Greeter.Hello': unary({
      request: z.object({ name: z.string() }),
      response: z.object({ msg: z.string() }),
      idempotent: true,
      description: 'Greets somebody by name.',
      example: { name: 'John' },
    }),
    'Greeter.WhoAmI': unary({
      request: z.unknown(),
      response: z.object({ id: z.string().optional(), pid: z.number() }),
      description: 'Tells which node answers, and in which process.',
    }),
    'Greeter.Sleep': unary({
      request: z.object({ ms: z.number() }),
      response: z.object({ ms: z.number() }),
      description: 'Answers after so many milliseconds.',
    }),
    'Greeter.Fail': unary({
      request: z.object({ code: z.number(), detail: z.string() }),
      response: z.never(),
      description: 'Fails with that code and these words.',
    }),
    'Greeter.Crash': unary({
      request: z.unknown(),
      response: z.never(),
      description: 'Throws what it did not mean to.',
    }),
    'Greeter.Count': serverStream({
      request: z.object({ to: z.number() }),
      response: z.object({ value: z.number() }),
    }),
    'Greeter.Chat': bidiStream({
      request: z.object({ text: z.string() }),
      response: z.object({ text: z.string() }),
    }),
  },
  events: {
    'greeter.say': z.object({ text: z.string() }),
    'greeter.greeted': z.object({ name: z.string() }),
  },
});

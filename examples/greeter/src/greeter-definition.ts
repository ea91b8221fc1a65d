import { bidiStream, defineService, serverStream, unary } from '@ts-micro/definition';
import { toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';

/** What the greeter understands and answers: its server implements it, its client calls by it. */
export const greeter = defineService({
  name: 'greeter',
  // Lets Go Micro's command line and gateways show the fields: `micro greeter hello --name=John`.
  jsonSchema: (schema) => toJsonSchema(schema as v.GenericSchema, { errorMode: 'ignore' }),
  endpoints: {
    'Greeter.Hello': unary({
      request: v.object({ name: v.string() }),
      response: v.object({ msg: v.string() }),
      idempotent: true,
      description: 'Greets somebody by name.',
      example: { name: 'John' },
    }),
    'Greeter.WhoAmI': unary({
      request: v.unknown(),
      response: v.object({ id: v.optional(v.string()), pid: v.number() }),
      description: 'Tells which node answers, and in which process.',
    }),
    'Greeter.Sleep': unary({
      request: v.object({ ms: v.number() }),
      response: v.object({ ms: v.number() }),
      description: 'Answers after so many milliseconds.',
    }),
    'Greeter.Fail': unary({
      request: v.object({ code: v.number(), detail: v.string() }),
      response: v.never(),
      description: 'Fails with that code and these words.',
    }),
    'Greeter.Crash': unary({
      request: v.unknown(),
      response: v.never(),
      description: 'Throws what it did not mean to.',
    }),
    'Greeter.Count': serverStream({
      request: v.object({ to: v.number() }),
      response: v.object({ value: v.number() }),
    }),
    'Greeter.Chat': bidiStream({
      request: v.object({ text: v.string() }),
      response: v.object({ text: v.string() }),
    }),
  },
  events: {
    'greeter.say': v.object({ text: v.string() }),
    'greeter.greeted': v.object({ name: v.string() }),
  },
});

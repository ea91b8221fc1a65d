import { toJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as Effect from 'effect/Effect';
import * as Schema from 'effect/Schema';
import * as SchemaGetter from 'effect/SchemaGetter';
import * as v from 'valibot';
import { z } from 'zod';
import { bidiStream, clientStream, defineService, serverStream, unary } from '../src/index.ts';

/** The greeter by zod. */
export const zodGreeter = defineService({
  name: 'greeter',
  endpoints: {
    'Greeter.Hello': unary({
      request: z.object({ name: z.string().min(1), tags: z.array(z.object({ id: z.number() })).optional() }),
      response: z.object({ msg: z.string() }),
      idempotent: true,
      description: 'Greets somebody by name.',
      example: { name: 'John' },
      errors: { name_too_long: z.object({ limit: z.number() }), closed_today: z.object({}) },
    }),
    'Greeter.Length': unary({
      request: z.object({ text: z.string().transform((text) => text.length) }),
      response: z.object({ at: z.string().transform((text) => new Date(text)), length: z.number() }),
    }),
    'Greeter.Slow': unary({
      request: z.object({ name: z.string() }).refine(async ({ name }) => name !== 'taken', 'is taken'),
      response: z.object({ msg: z.string() }).refine(async ({ msg }) => msg !== 'wrong', 'is wrong'),
    }),
    'Greeter.Count': serverStream({
      request: z.object({ to: z.number().int() }),
      response: z.object({ value: z.number().max(100) }),
      errors: { too_far: z.object({ limit: z.number() }) },
    }),
    'Greeter.Sum': clientStream({
      request: z.object({ value: z.number() }),
      response: z.object({ sum: z.number() }),
      errors: { too_much: z.object({ limit: z.number() }) },
    }),
    'Greeter.Chat': bidiStream({
      request: z.object({ text: z.string().min(1) }),
      response: z.object({ text: z.string() }),
    }),
  },
  events: { 'greeter.greeted': z.object({ name: z.string().min(1) }) },
});

/** The same by valibot. */
export const valibotGreeter = defineService({
  name: 'greeter',
  jsonSchema: (schema: v.GenericSchema) => toJsonSchema(schema, { typeMode: 'input' }),
  endpoints: {
    'Greeter.Hello': unary({
      request: v.object({
        name: v.pipe(v.string(), v.minLength(1)),
        tags: v.optional(v.array(v.object({ id: v.number() }))),
      }),
      response: v.object({ msg: v.string() }),
      idempotent: true,
      description: 'Greets somebody by name.',
      example: { name: 'John' },
      errors: { name_too_long: v.object({ limit: v.number() }), closed_today: v.object({}) },
    }),
    'Greeter.Length': unary({
      request: v.object({
        text: v.pipe(
          v.string(),
          v.transform((text) => text.length),
        ),
      }),
      response: v.object({
        at: v.pipe(
          v.string(),
          v.transform((text) => new Date(text)),
        ),
        length: v.number(),
      }),
    }),
    'Greeter.Slow': unary({
      request: v.pipeAsync(
        v.object({ name: v.string() }),
        v.checkAsync(async ({ name }) => name !== 'taken', 'is taken'),
      ),
      response: v.pipeAsync(
        v.object({ msg: v.string() }),
        v.checkAsync(async ({ msg }) => msg !== 'wrong', 'is wrong'),
      ),
    }),
    'Greeter.Count': serverStream({
      request: v.object({ to: v.pipe(v.number(), v.integer()) }),
      response: v.object({ value: v.pipe(v.number(), v.maxValue(100)) }),
      errors: { too_far: v.object({ limit: v.number() }) },
    }),
    'Greeter.Sum': clientStream({
      request: v.object({ value: v.number() }),
      response: v.object({ sum: v.number() }),
      errors: { too_much: v.object({ limit: v.number() }) },
    }),
    'Greeter.Chat': bidiStream({
      request: v.object({ text: v.pipe(v.string(), v.minLength(1)) }),
      response: v.object({ text: v.string() }),
    }),
  },
  events: { 'greeter.greeted': v.object({ name: v.pipe(v.string(), v.minLength(1)) }) },
});

/** The same by arktype, whose validators are never asynchronous. */
export const arktypeGreeter = defineService({
  name: 'greeter',
  endpoints: {
    'Greeter.Hello': unary({
      request: type({ name: 'string>0', 'tags?': type({ id: 'number' }).array() }),
      response: type({ msg: 'string' }),
      idempotent: true,
      description: 'Greets somebody by name.',
      example: { name: 'John' },
      errors: { name_too_long: type({ limit: 'number' }), closed_today: type({}) },
    }),
    'Greeter.Length': unary({
      request: type({ text: type('string').pipe((text) => text.length) }),
      response: type({ at: type('string').pipe((text) => new Date(text)), length: 'number' }),
    }),
    'Greeter.Slow': unary({
      request: type({ name: type('string').narrow((name, ctx) => name !== 'taken' || ctx.mustBe('is free')) }),
      response: type({ msg: type('string').narrow((msg, ctx) => msg !== 'wrong' || ctx.mustBe('is right')) }),
    }),
    'Greeter.Count': serverStream({
      request: type({ to: 'number.integer' }),
      response: type({ value: 'number<=100' }),
      errors: { too_far: type({ limit: 'number' }) },
    }),
    'Greeter.Sum': clientStream({
      request: type({ value: 'number' }),
      response: type({ sum: 'number' }),
      errors: { too_much: type({ limit: 'number' }) },
    }),
    'Greeter.Chat': bidiStream({ request: type({ text: 'string>0' }), response: type({ text: 'string' }) }),
  },
  events: { 'greeter.greeted': type({ name: 'string>0' }) },
});

/** A schema of effect as a Standard Schema, its JSON Schema with it. */
function standard<S extends Schema.Codec<unknown, unknown>>(schema: S) {
  return Schema.toStandardJSONSchemaV1(Schema.toStandardSchemaV1(schema));
}

function lengthOf() {
  const decode = SchemaGetter.transform((text: string) => text.length);
  const encode = SchemaGetter.forbidden<string, number>(() => 'only read');
  return Schema.String.pipe(Schema.decodeTo(Schema.Finite, { decode, encode }));
}

/** A struct of one text that takes its time to find out whether it is the one text that it may not be. */
function slowly<const Name extends string>(name: Name, refused: string) {
  const isFine = SchemaGetter.checkEffect((given: { readonly [key in Name]: string }) =>
    Effect.promise(async () => (given[name] === refused ? 'is refused' : undefined)),
  );
  const struct = Schema.Struct({ [name]: Schema.String } as { readonly [key in Name]: typeof Schema.String });
  return struct.pipe(Schema.decode({ decode: isFine as never, encode: SchemaGetter.passthrough() }));
}

const name = Schema.String.check(Schema.isNonEmpty());

/** The same by effect. */
export const effectGreeter = defineService({
  name: 'greeter',
  endpoints: {
    'Greeter.Hello': unary({
      request: standard(
        Schema.Struct({ name, tags: Schema.optional(Schema.Array(Schema.Struct({ id: Schema.Finite }))) }),
      ),
      response: standard(Schema.Struct({ msg: Schema.String })),
      idempotent: true,
      description: 'Greets somebody by name.',
      example: { name: 'John' },
      errors: {
        name_too_long: standard(Schema.Struct({ limit: Schema.Finite })),
        closed_today: standard(Schema.Struct({})),
      },
    }),
    'Greeter.Length': unary({
      request: standard(Schema.Struct({ text: lengthOf() })),
      response: standard(Schema.Struct({ at: Schema.DateFromString, length: Schema.Finite })),
    }),
    'Greeter.Slow': unary({ request: standard(slowly('name', 'taken')), response: standard(slowly('msg', 'wrong')) }),
    'Greeter.Count': serverStream({
      request: standard(Schema.Struct({ to: Schema.Int })),
      response: standard(Schema.Struct({ value: Schema.Finite.check(Schema.isLessThanOrEqualTo(100)) })),
      errors: { too_far: standard(Schema.Struct({ limit: Schema.Finite })) },
    }),
    'Greeter.Sum': clientStream({
      request: standard(Schema.Struct({ value: Schema.Finite })),
      response: standard(Schema.Struct({ sum: Schema.Finite })),
      errors: { too_much: standard(Schema.Struct({ limit: Schema.Finite })) },
    }),
    'Greeter.Chat': bidiStream({
      request: standard(Schema.Struct({ text: name })),
      response: standard(Schema.Struct({ text: Schema.String })),
    }),
  },
  events: { 'greeter.greeted': standard(Schema.Struct({ name })) },
});

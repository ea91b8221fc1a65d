import type { MessageStream, Service } from '@ts-micro/service';
import { createClient } from '@ts-micro/service';
import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import {
  defineService,
  handle,
  implement,
  type ResponseStream,
  subscribe,
  type TypedClient,
  typedClient,
  unary,
} from '../src/index.ts';
import { type arktypeGreeter, type effectGreeter, type valibotGreeter, zodGreeter } from './definitions.ts';

type Greet = TypedClient<typeof zodGreeter>['Greeter'];

// Only compiled: nothing here runs, and a line that TypeScript takes where it must not is an error itself.
const service = {} as Service;
const never = (): boolean => false;

describe('the types of a definition', () => {
  it('are the same by every validator', () => {
    type Valibot = TypedClient<typeof valibotGreeter>['Greeter'];
    type Arktype = TypedClient<typeof arktypeGreeter>['Greeter'];
    type Effect = TypedClient<typeof effectGreeter>['Greeter'];
    expectTypeOf<Parameters<Valibot['Hello']>>().toEqualTypeOf<Parameters<Greet['Hello']>>();
    expectTypeOf<Parameters<Arktype['Hello']>[0]>().toExtend<Parameters<Greet['Hello']>[0]>();
    expectTypeOf<ReturnType<Greet['Hello']>>().toEqualTypeOf<Promise<{ msg: string }>>();
    expectTypeOf<ReturnType<Valibot['Hello']>>().toEqualTypeOf<Promise<{ msg: string }>>();
    expectTypeOf<ReturnType<Arktype['Hello']>>().toEqualTypeOf<Promise<{ msg: string }>>();
    // Its fields are readonly.
    expectTypeOf<Parameters<Greet['Hello']>[0]>().toExtend<Parameters<Effect['Hello']>[0]>();
    expectTypeOf<ReturnType<Effect['Hello']>>().toEqualTypeOf<Promise<{ readonly msg: string }>>();
    expectTypeOf<Awaited<ReturnType<Effect['Length']>>>().toEqualTypeOf<{
      readonly at: Date;
      readonly length: number;
    }>();
  });

  it('give a call of each kind its shape', () => {
    expectTypeOf<Parameters<Greet['Hello']>[0]>().toEqualTypeOf<{
      name: string;
      tags?: { id: number }[] | undefined;
    }>();
    expectTypeOf<ReturnType<Greet['Count']>>().toEqualTypeOf<ResponseStream<{ value: number }>>();
    expectTypeOf<Awaited<ReturnType<Greet['Sum']>>>().toEqualTypeOf<{ sum: number }>();
    expectTypeOf<Awaited<ReturnType<Greet['Chat']>>>().toEqualTypeOf<
      MessageStream<{ text: string }, { text: string }>
    >();
  });

  it('have inputs at senders and outputs at receivers', () => {
    expectTypeOf<Parameters<Greet['Length']>[0]>().toEqualTypeOf<{ text: string }>();
    expectTypeOf<Awaited<ReturnType<Greet['Length']>>>().toEqualTypeOf<{ at: Date; length: number }>();
    if (never()) {
      handle(service, zodGreeter, 'Greeter.Length', ({ text }) => {
        expectTypeOf(text).toEqualTypeOf<number>();
        return { at: '2026-01-02T03:04:05Z', length: text };
      });
      // @ts-expect-error what a handler returns goes on the wire as text
      handle(service, zodGreeter, 'Greeter.Length', () => ({ at: new Date(), length: 1 }));
    }
  });

  it('narrow the errors of an endpoint by their names', () => {
    const { Hello, Chat } = {} as Greet;
    if (never()) {
      const failure = Hello.failure(new Error());
      if (failure?.name === 'name_too_long') expectTypeOf(failure.data).toEqualTypeOf<{ limit: number }>();
      // @ts-expect-error there is no such error
      if (failure?.name === 'name_too_short') return;
      expectTypeOf(Chat.failure(new Error())).toEqualTypeOf<undefined>();
    }
  });

  it('refuse every wrong use of a client', () => {
    if (!never()) return;
    const greet = typedClient(createClient({} as never), zodGreeter);
    // @ts-expect-error a misspelt type
    greet.Greter;
    // @ts-expect-error a misspelt method
    greet.Greeter.Helo;
    // @ts-expect-error a misspelt field
    void greet.Greeter.Hello({ nme: 'John' });
    // @ts-expect-error a field of another type
    void greet.Greeter.Hello({ name: 1 });
    // @ts-expect-error no request
    void greet.Greeter.Hello();
    // @ts-expect-error a misspelt option
    void greet.Greeter.Hello({ name: 'John' }, { timeout: 1 });
    // @ts-expect-error a stream of something else
    void greet.Greeter.Sum([{ value: '1' }]);
    void greet.Greeter.Chat().then((chat) => {
      // @ts-expect-error a message of another type
      void chat.send({ text: 1 });
    });
    // @ts-expect-error a misspelt event
    greet.events['greeter.greted'];
    // @ts-expect-error an event with another field
    void greet.events['greeter.greeted'].publish({ nme: 'John' });
  });

  it('refuse every wrong use of a service', () => {
    if (!never()) return;
    const { 'Greeter.Hello': endpoint } = zodGreeter.endpoints;
    const hello = defineService({ name: 'greeter', endpoints: { 'Greeter.Hello': endpoint } });
    // @ts-expect-error a missing handler
    implement(service, hello, {});
    // @ts-expect-error a misspelt handler
    implement(service, hello, { 'Greeter.Hello': () => ({ msg: '' }), 'Greeter.Helo': () => ({ msg: '' }) });
    // @ts-expect-error a response of another type
    implement(service, hello, { 'Greeter.Hello': () => ({ msg: 1 }) });
    // @ts-expect-error a response without its field
    implement(service, hello, { 'Greeter.Hello': async () => ({}) });
    // @ts-expect-error a request of another type
    implement(service, hello, { 'Greeter.Hello': ({ name }: { name: number }) => ({ msg: String(name) }) });
    // @ts-expect-error a misspelt endpoint
    handle(service, hello, 'Greeter.Helo', () => ({ msg: '' }));
    handle(service, hello, 'Greeter.Hello', (_request, _context, fail) => {
      // @ts-expect-error an error that is not defined
      throw fail('name_too_short', { limit: 1 });
    });
    handle(service, hello, 'Greeter.Hello', (_request, _context, fail) => {
      // @ts-expect-error data of another type
      throw fail('name_too_long', { limit: '1' });
    });
    // @ts-expect-error a handler of a stream where a value is to be returned
    handle(service, zodGreeter, 'Greeter.Count', () => ({ value: 1 }));
    // @ts-expect-error a misspelt event
    subscribe(service, zodGreeter, 'greeter.greted', () => {});
    // @ts-expect-error an event of another type
    subscribe(service, zodGreeter, 'greeter.greeted', ({ name }: { name: number }) => void name);
  });

  it('refuse a wrong definition', () => {
    if (!never()) return;
    const response = z.object({});
    // @ts-expect-error no schema
    unary({ request: {}, response });
    // @ts-expect-error an example that does not fit
    unary({ request: z.object({ name: z.string() }), response, example: { nme: 'John' } });
    // @ts-expect-error an endpoint that is not made by unary or a stream
    defineService({ name: 'greeter', endpoints: { 'Greeter.Hello': { request: response, response } } });
  });
});

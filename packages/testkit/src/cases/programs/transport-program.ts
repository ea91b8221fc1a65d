import assert from 'node:assert/strict';
import type { Listener, Message, Socket, Transport } from '@ts-micro/core';
import fc from 'fast-check';
import { message, rejection } from '../../assertions.ts';
import { type ContractCase, casesOf } from '../../contract-case.ts';
import { type Gate, gate } from '../gate.ts';
import { dial, type TransportContext } from '../transport/pair.ts';
import { contents } from './contents.ts';
import { End } from './conversation-books.ts';
import { holdsForPrograms } from './holds-for-programs.ts';

const clientCount = 2;
const listenerCount = 2;
// Fewer than any backend has room for.
const mostUnread = 200;

const anyClient = fc.nat({ max: clientCount - 1 });
const pick = fc.nat({ max: 99 });

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('dial' as const),
      client: anyClient,
      listener: fc.nat({ max: listenerCount - 1 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constant('send' as const),
      pick,
      count: fc.integer({ min: 1, max: 20 }),
      content: fc.nat({ max: contents.length - 1 }),
      isAwaited: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ does: fc.constant('receive' as const), pick, count: fc.integer({ min: 1, max: 20 }) }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('abort' as const), pick, turns: fc.nat({ max: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('close' as const), pick, way: fc.nat({ max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('refuse' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('settle' as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('reopen' as const), client: anyClient }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('stop' as const), listener: fc.nat({ max: listenerCount - 1 }) }),
  },
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
type StepOf<D extends Step['does']> = Extract<Step, { readonly does: D }>;

export const transportPrograms: readonly ContractCase<'transport'>[] = casesOf('transport', 'Transport', [
  {
    id: 'transport/any-program',
    title: 'any program of dialling, sending, receiving and closing gives each side what the other sent',
    runsPrograms: true,
    run: (context) =>
      holdsForPrograms(context, {
        step,
        run: (_, steps, say) => new TransportProgram(context, say).run(steps),
      }),
  },
]);

interface Dialled {
  readonly end: End;
  readonly client: number;
}

interface Accepted {
  readonly socket: Socket;
  /** What the handler waits for; it may throw then. */
  readonly leave: Gate;
  throws: boolean;
}

class TransportProgram {
  readonly #context: TransportContext;
  readonly #say: (line: string) => void;
  readonly #clients: Transport[] = [];
  readonly #servers: Transport[] = [];
  readonly #listeners: Listener[] = [];
  readonly #stopping: Promise<void>[] = [];
  readonly #stopped = new Set<number>();
  readonly #accepted = new Map<string, (accepted: Accepted) => void>();
  readonly #handled = new Map<End, Accepted>();
  readonly #ended: Gate = gate();
  #dialled: Dialled[] = [];
  #names = 0;
  #hasClosed = false;
  #fault: string | undefined;

  constructor(context: TransportContext, say: (line: string) => void) {
    this.#context = context;
    this.#say = say;
  }

  async run(steps: readonly Step[]): Promise<void> {
    try {
      for (let slot = 0; slot < listenerCount; slot++) await this.#listen();
      for (let slot = 0; slot < clientCount; slot++) this.#clients.push(await this.#context.open());
      for (const step of steps) {
        await this.#take(step);
        this.#check();
      }
      await this.#settle();
      for (const { end } of [...this.#dialled]) for (const each of [end, end.peer]) await this.#close(each, 0);
      await this.#context.within(Promise.all(this.#stopping), 'closing the listeners, with no socket open');
    } finally {
      this.#ended.open();
      const closing = [...this.#clients, ...this.#servers].map((transport) => transport.close());
      await this.#context.within(Promise.allSettled(closing), 'closing the transports of a program');
      this.#check();
    }
  }

  async #listen(): Promise<void> {
    const server = await this.#context.open();
    const listener = await this.#context.within(server.listen(), 'listen');
    this.#servers.push(server);
    this.#listeners.push(listener);
    const accepting = listener.accept((socket) => this.#handle(socket));
    await this.#context.within(accepting, 'accept');
  }

  /** The first message names the socket. */
  async #handle(socket: Socket): Promise<void> {
    const first = await socket.receive();
    const name = new TextDecoder().decode(first?.body);
    const accept = this.#accepted.get(name);
    if (accept === undefined) {
      // Without a notice, what was on its way to an end that has closed begins a socket of its own.
      if (!this.#context.supports.closeNotice && this.#hasClosed) return;
      this.#fail(`a listener got a socket whose first message is ${JSON.stringify(name)}`);
      return;
    }
    this.#accepted.delete(name);
    const accepted: Accepted = { socket, leave: gate(), throws: false };
    accept(accepted);
    await Promise.race([accepted.leave.opened, socket.closed, this.#ended.opened, this.#context.ended]);
    if (accepted.throws) throw new Error('a handler throws, on purpose');
  }

  async #take(step: Step): Promise<void> {
    switch (step.does) {
      case 'dial':
        return this.#onDial(step);
      case 'send':
        return this.#onSend(step);
      case 'receive':
        return this.#onReceive(step);
      case 'abort':
        return this.#onAbort(step);
      case 'close':
        return this.#onClose(step);
      case 'refuse':
        return this.#onRefuse(step);
      case 'settle':
        this.#say('everybody takes what was sent');
        return this.#settle();
      case 'reopen':
        return this.#onReopen(step.client);
      case 'stop':
        return this.#onStop(step.listener);
    }
  }

  async #onDial({ client, listener }: StepOf<'dial'>): Promise<void> {
    const at = this.#listeners[listener];
    const from = this.#clients[client];
    assert.ok(at && from);
    if (this.#stopped.has(listener)) return;
    const name = `socket ${++this.#names}`;
    this.#say(`client ${client} dials listener ${listener}: ${name}`);
    const socket = await dial(this.#context, from, at);
    const accepting = new Promise<Accepted>((resolve) => this.#accepted.set(name, resolve));
    await this.#context.within(socket.send(message(name)), 'the first send');
    const accepted = await this.#context.within(accepting, 'the listener to get the socket');
    const { closeNotice } = this.#context.supports;
    const fail = (fault: string) => this.#fail(fault);
    const end = new End(name, socket, closeNotice, fail);
    end.peer = new End(`the listener's end of ${name}`, accepted.socket, closeNotice, fail);
    end.peer.peer = end;
    this.#handled.set(end.peer, accepted);
    this.#dialled.push({ end, client });
  }

  async #onSend({ pick, count, content, isAwaited }: StepOf<'send'>): Promise<void> {
    const end = this.#pick(pick);
    if (end === undefined || end.peer.isClosed || end.peer.unread + count > mostUnread) return;
    const first = end.sent.length;
    const what = count === 1 ? `message ${first}` : `messages ${first} to ${first + count - 1}`;
    this.#say(`${end.name} sends ${what}${isAwaited ? '' : ' (not awaited)'}`);
    const make = contents[content] ?? (() => message('text'));
    const sending = Promise.all(Array.from({ length: count }, () => end.send(make())));
    if (isAwaited) await this.#context.within(sending, `${end.name} sending`);
  }

  async #onReceive({ pick, count }: StepOf<'receive'>): Promise<void> {
    const end = this.#pick(pick);
    if (end === undefined) return;
    this.#say(`${end.name} begins to receive ${count}`);
    end.want(count);
  }

  async #onAbort({ pick, turns }: StepOf<'abort'>): Promise<void> {
    const end = this.#pick(pick);
    if (end === undefined || !end.isIdle || end.peer.isClosed) return;
    this.#say(`${end.name} receives, and aborts it after ${turns} turns`);
    await this.#context.within(end.receiveUnlessAborted(new AbortController(), turns), 'an aborted receive');
  }

  async #onClose({ pick, way }: StepOf<'close'>): Promise<void> {
    const end = this.#pick(pick);
    if (end === undefined) return;
    const how = this.#handled.has(end) ? ['', ', as its handler returns', ', as its handler throws'][way] : '';
    this.#say(`${end.name} closes${how}`);
    await this.#close(end, way);
  }

  async #close(end: End, way: number): Promise<void> {
    if (end.isClosed) return;
    await this.#context.within(end.handedOver(), `${end.name} handing over what it sent`);
    end.isClosed = true;
    this.#hasClosed = true;
    const accepted = this.#handled.get(end);
    if (accepted && way > 0) {
      accepted.throws = way === 2;
      accepted.leave.open();
      await this.#context.within(end.socket.closed, `the end of ${end.name} with its handler`);
    } else {
      await this.#context.within(end.socket.close(), `closing ${end.name}`);
    }
    await this.#isRefused(end);
  }

  async #isRefused(end: End): Promise<void> {
    // One that had reached nobody, or heard that the other end is gone, may go on saying that.
    if (end.peer.isClosed) return;
    for (const [what, call] of [
      ['send', end.socket.send(message('too late'))],
      ['receive', end.socket.receive()],
    ] as const)
      await rejection(this.#context.within<unknown>(call, what), `a ${what} of ${end.name} after its close`, 'closed');
  }

  async #onRefuse({ pick }: StepOf<'refuse'>): Promise<void> {
    const end = this.#pick(pick);
    if (end === undefined || end.peer.isClosed) return;
    this.#say(`${end.name} is given what it must refuse`);
    const bad = end.socket.send(message('nobody has this', { 'a b': 'x' }));
    await rejection(this.#context.within(bad, 'send'), 'a bad header', 'invalid');
    const aborted = end.socket.send(message('nobody has this'), { signal: AbortSignal.abort() });
    await rejection(this.#context.within(aborted, 'send'), 'a send aborted before', 'canceled');
  }

  async #onReopen(slot: number): Promise<void> {
    this.#say(`client ${slot} closes, and another takes its place`);
    const client = this.#clients[slot];
    assert.ok(client);
    const ends = this.#dialled.filter((each) => each.client === slot && !each.end.isClosed).map(({ end }) => end);
    for (const end of ends) await this.#context.within(end.handedOver(), `${end.name} handing over what it sent`);
    for (const end of ends) end.isClosed = true;
    await this.#context.within(client.close(), `closing client ${slot}`);
    for (const end of ends) await this.#isRefused(end);
    this.#clients[slot] = await this.#context.open();
  }

  async #onStop(slot: number): Promise<void> {
    if (this.#stopped.has(slot)) return;
    this.#say(`listener ${slot} closes, with its sockets open`);
    this.#stopped.add(slot);
    const closing = this.#listeners[slot]?.close() ?? Promise.resolve();
    closing.catch(() => {});
    this.#stopping.push(closing);
  }

  /** Has everybody take what was sent, and one more, so that what came too much shows. */
  async #settle(): Promise<void> {
    const ends = this.#dialled.flatMap(({ end }) => [end, end.peer]).filter((end) => !end.isClosed);
    const last: Message = message('after the others');
    const sending = ends.flatMap((end) => {
      if (end.peer.isClosed) return [];
      return Array.from({ length: Math.max(1, end.peer.wantsBeyond) }, () => end.send(last));
    });
    await this.#context.within(Promise.all(sending), 'sending one more on each socket');
    for (const end of ends) {
      await this.#context.within(end.handedOver(), `${end.name} handing over what it sent`);
      const what = `${end.name} to have what was sent to it`;
      await this.#context.within(end.finish(), what).catch((error) => {
        this.#check();
        throw new Error(`${error.message}; ${end.unread} messages are missing`, { cause: error });
      });
    }
    this.#check();
    this.#dialled = this.#dialled.filter(({ end }) => !end.isClosed || !end.peer.isClosed);
  }

  /** One of the ends that are open. */
  #pick(pick: number): End | undefined {
    const open = this.#dialled.flatMap(({ end }) => [end, end.peer]).filter((end) => !end.isClosed);
    return open[pick % open.length];
  }

  #check(): void {
    if (this.#fault !== undefined) throw new Error(this.#fault);
  }

  #fail(fault: string): void {
    this.#fault ??= fault;
  }
}

import type { MicroError, NodeRecord } from '@ts-micro/core';
import { type Client, createClient, type MessageStream } from '@ts-micro/service';
import type { Machine } from '../harness/machine.ts';
import type { SimulatedProcess } from '../harness/simulated-process.ts';
import type { StreamRecord } from '../invariants/streams.ts';
import type { Action, StreamOperation } from './program.ts';
import type { Reply, Request } from './service-actor.ts';
import type { Stage } from './stage.ts';

type CallAction = Extract<Action, { kind: 'call' }>;
type StreamAction = Extract<Action, { kind: 'stream' }>;

/** What the clock and the network may take beyond a deadline. */
const slackMs = 50;
/** What an answer may take besides its way. */
const answerMs = 20;
/** What the notice that somebody left may take, and a handler's last send or receive. */
const toldMs = 3000;
/** How long what was said last may be on its way. */
const lastWordsMs = 1000;
/**
 * Handlers live so long at most, and a side that vanished is found out in the idle time: nothing on a stream waits
 * longer than both.
 */
const longestStreamMs = 90_000;
const longestCloseMs = 6_500;
/** The first publish of a process waits until the server has answered, for ten seconds. */
const longestPublishMs = 10_500;

/** A process that calls, streams and publishes. */
export class ClientActor {
  readonly process: SimulatedProcess;
  readonly #stage: Stage;
  readonly #client: Client;
  readonly #streams: StreamRecord[] = [];
  #closed: Promise<unknown> | undefined;
  #diedMs = Number.POSITIVE_INFINITY;

  constructor(stage: Stage, machine: Machine) {
    this.#stage = stage;
    this.process = stage.newProcess(machine);
    const { transport, broker, registry } = this.process;
    const { dialect, selector, streamIdleMs } = stage.setting;
    this.#client = createClient({
      transport,
      broker,
      registry,
      dialect,
      selector,
      streamIdleMs,
      callMetadata: { 'X-Tenant': 'default' },
    });
  }

  call(action: CallAction): void {
    const { calls, world } = this.#stage;
    for (let time = 0; time < action.times; time++) {
      const id = this.#stage.newId('call');
      calls.begin(id, action.idempotent);
      this.#stage.script(this.process, id, async () => {
        const beganMs = world.clock.nowMs;
        const controller = this.#controller(`the signal of ${id}`);
        if (action.abortAfterMs !== undefined) {
          void this.#stage.pause(this.process, action.abortAfterMs).then(() => controller.abort());
        }
        const request: Request = { id, plan: action.plan };
        const outcome = await this.#hold(
          `${id} ${JSON.stringify(action.plan)}`,
          action.timeoutMs + slackMs,
          this.#client.call<Reply>(action.service, 'Sim.Call', request, {
            signal: controller.signal,
            idempotent: action.idempotent,
            timeoutMs: action.timeoutMs,
            metadata: { 'x-tenant': id },
          }),
        );
        if ('value' in outcome) {
          world.tell(`${id} answered`);
          calls.answered(id, outcome.value?.id);
          return;
        }
        const { error } = outcome;
        world.tell(`${id} failed: ${error.code} ${error.message}`);
        calls.failed(id, error);
        this.#expectTold(id, 'its caller has left');
        if (error.code === 'timeout' && !action.idempotent) this.#checkUnanswered(id, beganMs);
        const isOver = world.clock.nowMs - beganMs >= action.timeoutMs;
        if (isOver && error.code === 'remote' && action.plan.kind === 'obey')
          world.broken(`${id} ended with ${error.message}, and it was the caller's time that was over`);
      });
    }
  }

  /** The words of a client that dies right after it left may be lost with it: then it is asked as one that has died. */
  #expectTold(id: string, why: string): void {
    const leftMs = this.#stage.world.clock.nowMs;
    this.#stage.expectTold(id, this.process, toldMs, why, () => this.#diedMs - leftMs < lastWordsMs);
  }

  /** A call that is not idempotent runs once: its time is not over where that run ended long before. */
  #checkUnanswered(id: string, beganMs: number): void {
    const { calls, setting, world } = this.#stage;
    const ended = calls.endOf(id);
    if (ended === undefined) return;
    const { by, atMs } = ended;
    if (by.machine.isDead || by.isLeaving || !this.#stage.isCalm(by, beganMs)) return;
    if (!this.#stage.isCalm(this.process, beganMs)) return;
    const sinceMs = world.clock.nowMs - atMs;
    if (sinceMs > answerMs + 4 * setting.latencyMs)
      world.broken(`${id} timed out ${sinceMs.toFixed(0)} ms after its handler had ended`);
  }

  stream(action: StreamAction): void {
    const { calls, world } = this.#stage;
    const id = this.#stage.newId('stream');
    const record = this.#stage.newStream(id);
    this.#streams.push(record);
    calls.begin(id, false);
    this.#stage.script(this.process, id, async () => {
      const controller = this.#controller(`the signal of ${id}`);
      const opened = await this.#hold(
        `the opening of ${id}`,
        5000 + slackMs,
        this.#client.stream(action.service, 'Sim.Stream', {
          signal: controller.signal,
          metadata: { 'x-tenant': id, 'x-plan': JSON.stringify(action.plan) },
        }),
      );
      if (!('value' in opened)) {
        world.tell(`${id} did not open: ${opened.error.code} ${opened.error.message}`);
        calls.failed(id, opened.error);
        return;
      }
      world.tell(`${id} opened`);
      const stream = opened.value;
      void stream.closed.then(() => {
        record.client.hasLeft = true;
        this.#expectTold(id, 'its client has left');
      });
      const writing = this.#operate(action.writes, record, stream);
      const reading = this.#operate(action.reads, record, stream);
      const ending = this.#stage.pause(this.process, action.endingAfterMs);
      // Two who receive at once get one value each, in no order of the one to the other.
      const isOver = action.ending === 'leave' ? Promise.all([ending, reading]) : ending;
      void isOver.then(() => this.#end(action.ending, record, stream, controller));
      await Promise.all([writing, reading, ending]);
      if (action.ending === 'wait') await this.#close(record, stream);
    });
  }

  publish(count: number): void {
    for (let time = 0; time < count; time++) {
      const id = this.#stage.newId('event');
      this.#stage.enter(this.process, () => {
        void this.#hold(`publishing ${id}`, longestPublishMs, this.#client.publish('sim.event', { id }));
      });
    }
  }

  /** What is up and reachable is found, and answers. */
  async look(name: string, nodes: readonly NodeRecord[]): Promise<void> {
    const { calls, promises, world } = this.#stage;
    const { name: instance } = this.process.machine;
    const found = await promises.hold(
      this.process,
      `a lookup by ${instance}`,
      2000,
      this.process.registry.getService(name),
    );
    if ('error' in found) return world.broken(`${instance} cannot look up ${name}: ${found.error.message}`);
    const known = new Set(found.value.flatMap((record) => record.nodes.map(({ id }) => id)));
    for (const { id: node, address } of nodes) {
      if (!known.has(node)) world.broken(`${instance} does not find ${node}, which is up`);
      const id = this.#stage.newId('call');
      calls.begin(id, false);
      const request: Request = { id, plan: { kind: 'answer', ms: 0 } };
      const options = { metadata: { 'x-tenant': id }, timeoutMs: 2000, address };
      const asked = await this.#hold(
        `${id} to ${node}`,
        2000 + slackMs,
        this.#client.call<Reply>(name, 'Sim.Call', request, options),
      );
      if ('error' in asked) world.broken(`${node} is up and does not answer: ${asked.error.message}`);
      else calls.answered(id, asked.value?.id);
    }
  }

  close(): Promise<unknown> {
    this.#closed ??= new Promise((resolve) => {
      this.#stage.enter(this.process, async () => {
        this.#leaveStreams();
        const { name } = this.process.machine;
        await this.#hold(`the close of ${name}`, longestCloseMs, this.#client.close());
        await this.#hold(`the close of the plugins of ${name}`, 11_000, this.process.close());
        resolve(undefined);
      });
    });
    return this.#closed;
  }

  #leaveStreams(): void {
    for (const record of this.#streams) record.client.hasLeft = true;
  }

  crash(): void {
    this.#leaveStreams();
    // A client that is gone without a word is asked after the idle time, and given up a while after.
    const foundOutMs = 2 * this.#stage.setting.idleTimeoutMs + 5000;
    for (const { id } of this.#streams) this.#stage.expectTold(id, this.process, foundOutMs, 'its client has died');
    this.#diedMs = this.#stage.world.clock.nowMs;
    this.process.machine.isDead = true;
    this.process.connection?.drop();
  }

  async #operate(operations: readonly StreamOperation[], record: StreamRecord, stream: MessageStream): Promise<void> {
    const { id, client: side } = record;
    for (const operation of operations) {
      switch (operation.kind) {
        case 'pause':
          await this.#stage.pause(this.process, operation.ms);
          break;
        case 'send': {
          const padding = 'x'.repeat(operation.bytes);
          for (let count = 0; count < operation.count; count++) {
            const value = { ...record.next('client'), padding };
            const overMs = record.handlerOverMs;
            const sent = await this.#hold(`a send on ${id}`, longestStreamMs, stream.send(value));
            if ('error' in sent) return this.#failed(record, sent.error);
            side.sent++;
            const isLate = overMs < this.#stage.world.clock.nowMs - toldMs;
            if (isLate && this.#stage.isCalm(this.process, overMs))
              this.#stage.world.broken(`a send on ${id} succeeds long after its handler was over`);
          }
          break;
        }
        case 'end': {
          side.hasEnded = true;
          await this.#hold(`the end of ${id}`, longestStreamMs, stream.end());
          return;
        }
        case 'receive':
          for (let count = 0; count < operation.count; count++) {
            const received = await this.#hold(`a receive on ${id}`, longestStreamMs, stream.receive());
            if ('error' in received) return this.#failed(record, received.error);
            if (received.value === undefined) {
              record.sawEnd('client');
              return;
            }
            record.received('client', received.value);
          }
          break;
        case 'loop': {
          const left = await this.#hold(
            `a loop on ${id}`,
            longestStreamMs * 2,
            this.#loop(operation.count, record, stream),
          );
          if ('error' in left) return this.#failed(record, left.error);
          if (!left.value) return;
          break;
        }
      }
    }
  }

  /** A stream that failed here is over for this side. */
  #failed({ id, client }: StreamRecord, error: MicroError): void {
    client.hasLeft = true;
    this.#stage.world.tell(`${id} failed: ${error.code} ${error.message}`);
    // A stream that gives way to another peer's where there is no place for both fails by intent.
    if (error.code !== 'unavailable' || error.message.includes('too many streams are open')) return;
    for (const handler of this.#stage.handlers) {
      const { process } = handler;
      const isSettled = this.#stage.isCalm(process, 1) && this.#stage.isCalm(this.process, 1);
      if (handler.id === id && !process.machine.isDead && !process.isLeaving && isSettled)
        this.#stage.world.broken(`${id} failed with ${error.message}, and both its ends are well`);
    }
  }

  /** False where it came to the end. */
  async #loop(count: number, record: StreamRecord, stream: MessageStream): Promise<boolean> {
    let left = count;
    for await (const value of stream) {
      record.received('client', value);
      if (--left === 0) {
        record.client.hasLeft = true;
        return true;
      }
    }
    record.sawEnd('client');
    return false;
  }

  #end(ending: StreamAction['ending'], record: StreamRecord, stream: MessageStream, controller: AbortController): void {
    if (ending === 'close') void this.#close(record, stream);
    if (ending === 'abort') {
      record.client.hasAborted = !record.client.hasEnded && !record.client.hasLeft;
      record.client.hasLeft = true;
      controller.abort();
    }
    if (ending === 'leave') {
      const leaving = this.#hold(`leaving ${record.id}`, longestStreamMs * 2, this.#loop(1, record, stream));
      void leaving.then((left) => {
        if ('error' in left) this.#failed(record, left.error);
      });
    }
  }

  async #close(record: StreamRecord, stream: MessageStream): Promise<void> {
    record.client.hasLeft = true;
    this.#stage.world.tell(`${record.id} is closed by its client`);
    await this.#hold(`the close of ${record.id}`, longestCloseMs, stream.close());
  }

  #controller(what: string): AbortController {
    const controller = new AbortController();
    this.#stage.signals.push({ what, signal: controller.signal, process: this.process });
    return controller;
  }

  #hold<T>(what: string, boundMs: number, promise: Promise<T>) {
    return this.#stage.promises.hold(this.process, what, boundMs, promise);
  }
}

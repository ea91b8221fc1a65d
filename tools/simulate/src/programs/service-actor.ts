import { AsyncLocalStorage } from 'node:async_hooks';
import { MicroError } from '@ts-micro/core';
import {
  type Client,
  createClient,
  createService,
  type MessageStream,
  type RequestContext,
  type Service,
} from '@ts-micro/service';
import type { Machine } from '../harness/machine.ts';
import type { SimulatedProcess } from '../harness/simulated-process.ts';
import { registerIntervalMs, registerTtlMs } from '../invariants/nodes.ts';
import type { StreamRecord } from '../invariants/streams.ts';
import type { CallPlan, StreamPlan, ThrownKind } from './program.ts';
import type { RunningHandler, Stage } from './stage.ts';

export interface Request {
  readonly id: string;
  readonly plan: CallPlan;
}

export interface Reply {
  readonly id: string;
}

type Manner = Pick<RunningHandler, 'listens' | 'obeys'>;

function manner(obeys: boolean): Manner {
  return { listens: obeys, obeys };
}

/** How long a handler waits for its signal at most. */
const longestHandlerMs = 20_000;
/** Leaving the registry, the grace for those who have not heard, and the end of the sockets. */
const longestDrainMs = 5000;
const context = new AsyncLocalStorage<string>();

/** Lets everything run fast again. */
export function forgetContexts(): void {
  context.disable();
}

/** A process that serves `alpha` or `beta`, and what its handlers do. */
export class ServiceActor {
  readonly name: string;
  readonly process: SimulatedProcess;
  readonly service: Service;
  readonly #stage: Stage;
  readonly #client: Client;
  #stopped: Promise<unknown> | undefined;
  #hasStopped = false;
  /** When a handler began that is not told when the service stops. */
  #lastStubbornMs = Number.NEGATIVE_INFINITY;

  constructor(stage: Stage, name: 'alpha' | 'beta', machine: Machine) {
    const instance = machine.name;
    this.#stage = stage;
    this.name = name;
    const { setting } = stage;
    this.process = stage.newProcess(machine);
    const { transport, broker, registry } = this.process;
    const { dialect, maxBacklog, maxConcurrency, stopTimeoutMs } = setting;
    this.service = createService({
      name,
      id: instance,
      transport,
      broker,
      registry,
      dialect,
      maxBacklog,
      maxConcurrency,
      stopTimeoutMs,
      registerIntervalMs,
      registerTtlMs,
    });
    this.#client = createClient({ transport, broker, registry, dialect });
    const other = name === 'alpha' ? 'beta' : 'alpha';
    this.service.handle<Request, Reply>('Sim.Call', (request, requestContext) =>
      this.#run('call', request.id, manner(request.plan.kind === 'obey'), () => {
        const run = stage.calls.ran(request.id);
        this.#checkContext(request.id, requestContext);
        return this.#answer(request.id, request.plan, requestContext, other, run);
      }),
    );
    this.service.handleStream('Sim.Stream', (stream, requestContext) => {
      const id = requestContext.metadata['X-Tenant'] ?? requestContext.metadata['x-tenant'] ?? '';
      const text = requestContext.metadata['X-Plan'] ?? requestContext.metadata['x-plan'] ?? '{}';
      const plan = JSON.parse(text) as StreamPlan;
      const listens = plan.kind !== 'sink' || plan.ms === 0;
      return this.#run('stream', id, { listens, obeys: plan.kind === 'stall' }, async () => {
        stage.calls.ran(id);
        const record = stage.streams.get(id);
        if (record === undefined) throw new Error(`${id} is no stream of this program`);
        await this.#converse(plan, record, stream, requestContext);
      });
    });
    this.service.subscribe<{ id: string }>(
      'sim.event',
      (event) =>
        this.#run('event', event.id, manner(false), async () => {
          stage.calls.delivered(`${event.id} at ${instance}`);
          await this.#pause(3);
        }),
      setting.queue ? { queue: 'sim' } : {},
    );
  }

  start(): void {
    this.#stage.enter(this.process, () => {
      const what = `the start of ${this.process.machine.name}`;
      void this.#stage.promises.hold(this.process, what, 31_000, this.service.start());
    });
  }

  /** Bounded by its own `stopTimeoutMs`, grace for those who obey, and the release of what it opened. */
  stop(patienceMs?: number): Promise<unknown> {
    this.#stopped ??= new Promise((resolve) => {
      this.#stage.enter(this.process, () => {
        const { stopTimeoutMs } = this.#stage.setting;
        const bound = patienceMs === undefined ? {} : { signal: AbortSignal.timeout(patienceMs) };
        const boundMs = Math.min(patienceMs ?? stopTimeoutMs, stopTimeoutMs) + 11_000;
        const stopping = this.service.stop(bound).finally(() => this.gone());
        const what = `the stop of ${this.process.machine.name}`;
        this.#expectStop(what);
        this.process.isLeaving = true;
        void this.#stage.promises.hold(this.process, what, boundMs, stopping).then(() => {
          this.#hasStopped = true;
          return this.#close(resolve);
        });
      });
    });
    return this.#stopped;
  }

  /** Streams are told by their signal that the service stops: where all that runs obeys, it is not the whole time. */
  #expectStop(what: string): void {
    const { handlers, world } = this.#stage;
    const beganMs = world.clock.nowMs;
    for (const { process, kind, obeys } of handlers)
      if (process === this.process && (kind !== 'stream' || !obeys)) return;
    const check = () => {
      if (this.#hasStopped || this.process.machine.isDead || this.#lastStubbornMs >= beganMs) return;
      if (this.#stage.isCalm(this.process, beganMs)) world.broken(`${what} waits for streams that obey their signal`);
    };
    world.clock.schedule(longestDrainMs, check, 'harness', 'world');
  }

  crash(): void {
    this.gone();
    this.process.machine.isDead = true;
    this.process.connection?.drop();
  }

  gone(): void {
    const address = this.service.node?.address;
    if (address !== undefined) this.#stage.nodes.gone(address);
  }

  async #close(done: (value: unknown) => void): Promise<void> {
    const { promises } = this.#stage;
    const { name } = this.process.machine;
    await promises.hold(this.process, `the close of the client in ${name}`, 6500, this.#client.close());
    await promises.hold(this.process, `the close of the plugins of ${name}`, 11_000, this.process.close());
    done(undefined);
  }

  /** Runs a handler in the books of those that run. */
  async #run<T>(
    kind: RunningHandler['kind'],
    id: string,
    { listens, obeys }: Manner,
    handle: () => T | Promise<T>,
  ): Promise<T> {
    const what = `${id} at ${this.process.machine.name}`;
    const { handlers, setting, world } = this.#stage;
    if (setting.contexts) {
      const before = context.getStore();
      if (before !== undefined) world.broken(`the handler of ${what} runs in the context of that of ${before}`);
      context.enterWith(what);
    }
    const running: RunningHandler = { kind, id, what, listens, obeys, process: this.process };
    handlers.add(running);
    if (!obeys || kind !== 'stream') this.#lastStubbornMs = world.clock.nowMs;
    world.tell(`> ${what}`);
    try {
      return await handle();
    } finally {
      handlers.delete(running);
      this.#stage.calls.ended(id, this.process);
      world.tell(`< ${what}`);
    }
  }

  #pause(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#stage.pause(this.process, ms, signal);
  }

  #checkContext(id: string, { headers }: RequestContext): void {
    const tenants = Object.keys(headers).filter((name) => name.toLowerCase() === 'x-tenant');
    const values = tenants.map((name) => headers[name]);
    if (values.length !== 1 || values[0] !== id)
      this.#stage.world.broken(`${id} came with the metadata ${tenants.join()}: ${values.join()}`);
  }

  async #answer(id: string, plan: CallPlan, request: RequestContext, other: string, run: number): Promise<Reply> {
    switch (plan.kind) {
      case 'answer':
        if (plan.ms > 0) await this.#pause(plan.ms);
        return { id };
      case 'throw':
        if (plan.ms > 0) await this.#pause(plan.ms);
        throw thrown(plan.what);
      case 'obey':
        await this.#pause(longestHandlerMs, request.signal);
        throw request.signal.reason ?? new Error('nobody told it to stop');
      case 'relay': {
        const inner = `${id}/${run}`;
        this.#stage.calls.begin(inner, false);
        const payload: Request = { id: inner, plan: plan.inner };
        try {
          const reply = await this.#client.call<Reply>(other, 'Sim.Call', payload, {
            context: request,
            metadata: { 'x-tenant': inner },
          });
          this.#stage.calls.answered(inner, reply?.id);
          return { id };
        } catch (error) {
          if (MicroError.is(error)) this.#stage.calls.failed(inner, error);
          throw error;
        }
      }
    }
  }

  async #converse(
    plan: StreamPlan,
    record: StreamRecord,
    stream: MessageStream,
    request: RequestContext,
  ): Promise<void> {
    const side = record.handler;
    const receive = async (): Promise<boolean> => {
      const value = await stream.receive();
      if (value === undefined) record.sawEnd('handler');
      else record.received('handler', value);
      return value !== undefined;
    };
    const send = async () => {
      await stream.send(record.next('handler'));
      side.sent++;
    };
    try {
      switch (plan.kind) {
        case 'echo':
          while (await receive()) await send();
          break;
        case 'source':
          for (let count = 0; count < plan.count; count++) await send();
          break;
        case 'sink':
          while (await receive()) if (plan.ms > 0) await this.#pause(plan.ms);
          break;
        case 'leave':
          for (let count = 0; count < plan.count; count++) if (!(await receive())) break;
          if (plan.throws) throw new Error('the handler throws');
          break;
        case 'stall':
          await this.#pause(plan.ms, request.signal);
          break;
      }
      side.hasEnded = true;
    } catch (error) {
      side.hasLeft = true;
      throw error;
    } finally {
      record.handlerOverMs = this.#stage.world.clock.nowMs;
    }
  }
}

function thrown(kind: ThrownKind): unknown {
  switch (kind) {
    case 'error':
      return new Error('the handler throws');
    case 'retry-safe':
      return new MicroError('unavailable', 'relayed: nobody is there', { retrySafe: true });
    case 'bigint':
      return { message: 1n };
    case 'hostile':
      return new Proxy(
        {},
        {
          get: () => {
            throw new Error('a getter throws');
          },
          getPrototypeOf: () => {
            throw new Error('a trap throws');
          },
        },
      );
  }
}

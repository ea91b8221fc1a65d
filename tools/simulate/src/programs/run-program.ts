import { getEventListeners } from 'node:events';
import { machine } from '../harness/machine.ts';
import type { SimulatedProcess } from '../harness/simulated-process.ts';
import type { Violation } from '../harness/world.ts';
import { registerIntervalMs } from '../invariants/nodes.ts';
import { ClientActor } from './client-actor.ts';
import { type Action, clients, type Program, services } from './program.ts';
import { forgetContexts, ServiceActor } from './service-actor.ts';
import { Stage } from './stage.ts';

export interface Run {
  readonly violation: Violation | undefined;
  /** Equal for two runs of one program. */
  readonly fingerprint: number;
  readonly steps: number;
  readonly simulatedMs: number;
}

/** What everything may take to come to rest: the longest handler, the idle times, and what waits for both. */
const longestRestMs = 200_000;
const settleMs = 1500;

/** Runs a program in a world of its own, to its end or to the first violation. */
export async function runProgram(program: Program, onTrace?: (line: string) => void): Promise<Run> {
  const stage = new Stage(program.setting);
  const { world } = stage;
  world.onTrace = onTrace;
  world.clock.keepsOrigins = onTrace !== undefined;
  const framesBefore = Error.stackTraceLimit;
  // A stack costs more than all else of an error, and only a story shows it.
  if (onTrace === undefined) Error.stackTraceLimit = 0;
  try {
    await new Play(stage).perform(program);
    return {
      violation: world.violation,
      fingerprint: world.fingerprint,
      steps: world.clock.steps,
      simulatedMs: world.clock.nowMs,
    };
  } finally {
    world[Symbol.dispose]();
    forgetContexts();
    Error.stackTraceLimit = framesBefore;
  }
}

class Play {
  readonly #stage: Stage;
  readonly #services: (ServiceActor | undefined)[] = [];
  readonly #clients: ClientActor[] = [];
  readonly #gone: Promise<unknown>[] = [];
  #instances = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async perform({ steps }: Program): Promise<void> {
    const { alphas } = this.#stage.setting;
    for (let slot = 0; slot < services; slot++) if (slot < alphas || slot === services - 1) await this.#start(slot);
    for (let slot = 0; slot < clients; slot++) this.#clients[slot] = await this.#newClient(slot);
    await this.#run(settleMs);
    for (const { afterMs, action } of steps) {
      await this.#run(afterMs);
      if (this.#isBroken) return;
      this.#stage.world.tell(JSON.stringify(action));
      await this.#act(action);
    }
    await this.#rest();
    if (!this.#isBroken) await this.#lookAround();
    if (!this.#isBroken) await this.#closeAll();
    if (!this.#isBroken) this.#checkNothingIsLeft();
  }

  get #isBroken(): boolean {
    return this.#stage.world.violation !== undefined;
  }

  /** Lets time pass. */
  async #run(forMs: number, isDone: () => boolean = () => false): Promise<void> {
    const { clock } = this.#stage.world;
    await clock.run(clock.nowMs + forMs, () => this.#isBroken || isDone());
  }

  async #act(action: Action): Promise<void> {
    switch (action.kind) {
      case 'call':
        this.#client(action.client).call(action);
        break;
      case 'stream':
        this.#client(action.client).stream(action);
        break;
      case 'event':
        this.#client(action.client).publish(action.count);
        break;
      case 'start':
        if (this.#services[action.service] === undefined) await this.#start(action.service);
        break;
      case 'stop':
        this.#stop(action.service, action.patienceMs);
        break;
      case 'crash':
        this.#crash(action.service);
        break;
      case 'close-client': {
        const client = this.#client(action.client);
        this.#gone.push(client.close());
        this.#clients[action.client] = await this.#newClient(action.client);
        break;
      }
      case 'crash-client':
        if (this.#stage.world.server === undefined) break;
        this.#client(action.client).crash();
        this.#clients[action.client] = await this.#newClient(action.client);
        break;
      default:
        await this.#disturb(action);
    }
  }

  async #disturb(action: Extract<Action, { process: number }>): Promise<void> {
    const process = this.#process(action.process);
    if (process === undefined) return;
    const { clock } = this.#stage.world;
    const durationMs = action.kind === 'lose' ? action.downMs : action.ms;
    // What a break leads to takes a while to heal: sockets are found dead, the registry is asked again.
    process.disturbedUntilMs = Math.max(process.disturbedUntilMs, clock.nowMs + durationMs + 2000);
    await clock.as(process.machine, () => {
      if (action.kind === 'lose') process.connection?.lose(action.downMs, action.noticeMs);
      if (action.kind === 'stall') process.connection?.stall(action.ms);
      if (action.kind === 'block') process.machine.blockedUntilMs = clock.nowMs + action.ms;
    });
  }

  #process(index: number): SimulatedProcess | undefined {
    return index < clients ? this.#client(index).process : this.#services[index - clients]?.process;
  }

  #client(index: number): ClientActor {
    return this.#clients[index] as ClientActor;
  }

  #newClient(slot: number): Promise<ClientActor> {
    const process = machine(`client-${slot}.${++this.#instances}`);
    return this.#stage.world.clock.as(process, () => new ClientActor(this.#stage, process));
  }

  async #start(slot: number): Promise<void> {
    const name = slot === services - 1 ? 'beta' : 'alpha';
    const process = machine(`${name}-${slot}.${++this.#instances}`);
    const service = await this.#stage.world.clock.as(process, () => new ServiceActor(this.#stage, name, process));
    this.#services[slot] = service;
    service.start();
  }

  #stop(slot: number, patienceMs: number | undefined): void {
    const service = this.#services[slot];
    if (service === undefined) return;
    this.#services[slot] = undefined;
    this.#gone.push(service.stop(patienceMs));
  }

  #crash(slot: number): void {
    // Processes of the memory backends are one: none can die alone.
    if (this.#stage.world.server === undefined) return;
    this.#services[slot]?.crash();
    this.#services[slot] = undefined;
  }

  /** Waits until nothing is under way. */
  async #rest(): Promise<void> {
    await this.#run(longestRestMs, () => this.#stage.underWay.length === 0);
    if (this.#isBroken) return;
    for (const what of this.#stage.underWay) this.#stage.world.broken(`${what} never ended`);
  }

  /** A heartbeat after the last disturbance, everybody finds all that is up; and nothing runs there. */
  async #lookAround(): Promise<void> {
    const { clock } = this.#stage.world;
    const living = [...this.#stage.processes].filter(({ machine }) => !machine.isDead);
    const calmMs = Math.max(...living.map(({ disturbedUntilMs }) => disturbedUntilMs));
    await this.#run(Math.max(0, calmMs - clock.nowMs) + registerIntervalMs + settleMs);
    // What was asked by somebody who has left came late, and took a place.
    await this.#rest();
    const up = this.#services.filter((service) => service?.service.state === 'running') as ServiceActor[];
    for (const { service, process } of up) {
      const { running } = service.health();
      const known = [...this.#stage.handlers].filter((handler) => handler.process === process).length;
      if (running > known)
        this.#stage.world.broken(`${process.machine.name} counts ${running} handlers, and ${known} run`);
    }
    for (const name of ['alpha', 'beta']) {
      const nodes = up.filter((actor) => actor.name === name).flatMap(({ service }) => service.node ?? []);
      for (const client of this.#clients)
        this.#stage.script(client.process, 'a look around', () => client.look(name, nodes));
    }
    await this.#rest();
  }

  async #closeAll(): Promise<void> {
    for (let slot = 0; slot < services; slot++) this.#stop(slot, undefined);
    for (const client of this.#clients) this.#gone.push(client.close());
    let isDone = false;
    void Promise.all(this.#gone).then(() => {
      isDone = true;
    });
    await this.#run(longestRestMs, () => isDone);
    if (!isDone && !this.#isBroken) this.#stage.world.broken('not everything was closed');
    // What the last close wrote arrives.
    await this.#run(settleMs);
  }

  #checkNothingIsLeft(): void {
    const { processes, signals, world } = this.#stage;
    for (const process of processes) {
      const { name, isDead } = process.machine;
      if (isDead) continue;
      if (process.sockets.size > 0) world.broken(`${name} leaves ${process.sockets.size} dialled sockets open`);
      if (process.accepted > 0) world.broken(`${name} leaves ${process.accepted} accepted sockets open`);
      const subscriptions = process.connection?.subscriptions ?? 0;
      if (subscriptions > 0) world.broken(`${name} leaves ${subscriptions} subscriptions`);
    }
    for (const { what, signal, process } of signals) {
      const listeners = process.machine.isDead ? 0 : getEventListeners(signal, 'abort').length;
      if (listeners > 0) world.broken(`${what} is left with ${listeners} listeners`);
    }
    const timers = world.clock.waiting('timer');
    if (timers.length > 0) {
      const [{ origin = '', machine } = {}] = timers;
      world.broken(`${timers.length} timers are left, one of ${machine?.name} ${origin}`);
    }
  }
}

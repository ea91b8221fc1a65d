import fc from 'fast-check';

/** What a unary handler does with a request. */
export type CallPlan =
  | { readonly kind: 'answer'; readonly ms: number }
  | { readonly kind: 'throw'; readonly what: ThrownKind; readonly ms: number }
  /** Waits for its signal, at most 20 seconds, and throws its reason. */
  | { readonly kind: 'obey' }
  /** Calls the other service in the course of this request, and answers or throws what it gets. */
  | { readonly kind: 'relay'; readonly inner: CallPlan };

export type ThrownKind = 'error' | 'retry-safe' | 'bigint' | 'hostile';

/** What a stream's handler does. */
export type StreamPlan =
  /** Sends back what it receives, until the client's end. */
  | { readonly kind: 'echo' }
  /** Sends so many, and returns. */
  | { readonly kind: 'source'; readonly count: number }
  /** Receives until the client's end; between two values it waits. */
  | { readonly kind: 'sink'; readonly ms: number }
  /** Receives so many, then returns or throws. */
  | { readonly kind: 'leave'; readonly count: number; readonly throws: boolean }
  /** Does nothing until its signal aborts or the time is over. */
  | { readonly kind: 'stall'; readonly ms: number };

export type StreamOperation =
  | { readonly kind: 'send'; readonly count: number; readonly bytes: number }
  | { readonly kind: 'receive'; readonly count: number }
  /** Receives in a `for await` and leaves it after so many. */
  | { readonly kind: 'loop'; readonly count: number }
  | { readonly kind: 'pause'; readonly ms: number }
  | { readonly kind: 'end' };

type Ending = 'close' | 'abort' | 'leave' | 'wait';

export type Action =
  | {
      readonly kind: 'call';
      readonly client: number;
      readonly service: ServiceName;
      readonly plan: CallPlan;
      readonly idempotent: boolean;
      readonly timeoutMs: number;
      readonly abortAfterMs: number | undefined;
      readonly times: number;
    }
  | {
      readonly kind: 'stream';
      readonly client: number;
      readonly service: ServiceName;
      readonly plan: StreamPlan;
      readonly writes: readonly StreamOperation[];
      readonly reads: readonly StreamOperation[];
      readonly ending: Ending;
      readonly endingAfterMs: number;
    }
  | { readonly kind: 'event'; readonly client: number; readonly count: number }
  | { readonly kind: 'stop'; readonly service: number; readonly patienceMs: number | undefined }
  | { readonly kind: 'crash'; readonly service: number }
  | { readonly kind: 'start'; readonly service: number }
  | { readonly kind: 'lose'; readonly process: number; readonly downMs: number; readonly noticeMs: number }
  | { readonly kind: 'stall'; readonly process: number; readonly ms: number }
  | { readonly kind: 'block'; readonly process: number; readonly ms: number }
  | { readonly kind: 'close-client'; readonly client: number }
  | { readonly kind: 'crash-client'; readonly client: number };

type ServiceName = 'alpha' | 'beta' | 'nobody';

interface Step {
  readonly afterMs: number;
  readonly action: Action;
}

/** The world a program runs in. */
export interface Setting {
  /** Decides delays, losses and whatever the runtime leaves to chance. */
  readonly chance: number;
  readonly backend: 'nats' | 'memory';
  readonly dialect: 'auto' | 'go';
  readonly selector: 'random' | 'roundRobin';
  readonly loggerThrows: boolean;
  readonly latencyMs: number;
  readonly duplicates: number;
  readonly maxPayload: number;
  readonly interop: boolean;
  /** Instances of the service `alpha`; one more is `beta`. */
  readonly alphas: number;
  readonly maxConcurrency: number;
  readonly maxBacklog: number;
  readonly stopTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly streamIdleMs: number;
  readonly queue: boolean;
  /** Whether handlers leave an async context behind and look for those of others: it makes everything slow. */
  readonly contexts: boolean;
}

export interface Program {
  readonly setting: Setting;
  readonly steps: readonly Step[];
}

export const clients = 2;
/** The most instances of both services. */
export const services = 3;

const shortMs = fc.constantFrom(0, 1, 5, 20, 100, 400);
const longMs = fc.constantFrom(0, 10, 100, 500, 2000, 6000);
const client = fc.nat(clients - 1);
const service = fc.nat(services - 1);
const process = fc.nat(clients + services - 1);
const serviceName = fc.constantFrom<ServiceName>('alpha', 'alpha', 'alpha', 'alpha', 'beta', 'beta', 'nobody');

const simplePlan: fc.Arbitrary<CallPlan> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('answer' as const), ms: longMs }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('throw' as const),
      what: fc.constantFrom<ThrownKind>('error', 'retry-safe', 'bigint', 'hostile'),
      ms: shortMs,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('obey' as const) }) },
);

const callPlan: fc.Arbitrary<CallPlan> = fc.oneof(
  { weight: 3, arbitrary: simplePlan },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('relay' as const), inner: simplePlan }) },
);

const streamPlan: fc.Arbitrary<StreamPlan> = fc.oneof(
  fc.record({ kind: fc.constant('echo' as const) }),
  fc.record({ kind: fc.constant('source' as const), count: fc.constantFrom(0, 1, 3, 20, 1100) }),
  fc.record({ kind: fc.constant('sink' as const), ms: fc.constantFrom(0, 0, 5, 100) }),
  fc.record({
    kind: fc.constant('leave' as const),
    count: fc.constantFrom(0, 1, 5),
    throws: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('stall' as const), ms: fc.constantFrom(10, 1000, 15_000) }),
);

const writes: fc.Arbitrary<StreamOperation> = fc.oneof(
  {
    weight: 3,
    // The last is more than the window takes.
    arbitrary: fc
      .constantFrom([1, 10], [1, 10], [3, 10], [3, 1000], [20, 10], [60, 10], [22, 50_000])
      .map(([count = 0, bytes = 0]) => ({ kind: 'send' as const, count, bytes })),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pause' as const), ms: longMs }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('end' as const) }) },
);

const reads: fc.Arbitrary<StreamOperation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('receive' as const), count: fc.constantFrom(1, 3, 2000) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('loop' as const), count: fc.constantFrom(1, 2, 2000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pause' as const), ms: longMs }) },
);

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 24,
    arbitrary: fc.record({
      kind: fc.constant('call' as const),
      client,
      service: serviceName,
      plan: callPlan,
      idempotent: fc.boolean(),
      timeoutMs: fc.constantFrom(50, 300, 1000, 5000),
      abortAfterMs: fc.option(longMs, { nil: undefined, freq: 4 }),
      times: fc.constantFrom(1, 1, 1, 2, 6),
    }),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('stream' as const),
      client,
      service: serviceName,
      plan: streamPlan,
      writes: fc.array(writes, { maxLength: 4 }),
      reads: fc.array(reads, { maxLength: 3 }),
      ending: fc.constantFrom<Ending>('close', 'close', 'abort', 'leave', 'wait'),
      endingAfterMs: longMs,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('event' as const), client, count: fc.constantFrom(1, 3, 10) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('stop' as const),
      service,
      patienceMs: fc.option(shortMs, { nil: undefined }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('crash' as const), service }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('start' as const), service }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('lose' as const),
      process,
      downMs: fc.constantFrom(1, 100, 1000, 5000),
      noticeMs: fc.constantFrom(0, 0, 50, 2000),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('stall' as const), process, ms: longMs }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('block' as const), process, ms: shortMs }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('close-client' as const), client }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash-client' as const), client }) },
);

const setting: fc.Arbitrary<Setting> = fc.record({
  chance: fc.noShrink(fc.nat()),
  backend: fc.constantFrom('nats', 'nats', 'nats', 'memory'),
  dialect: fc.constantFrom('auto', 'auto', 'go'),
  selector: fc.constantFrom('random', 'roundRobin'),
  loggerThrows: fc.boolean(),
  latencyMs: fc.constantFrom(0, 1, 5, 60),
  duplicates: fc.constantFrom(0, 0.5),
  maxPayload: fc.constantFrom(1_048_576, 32_768),
  interop: fc.boolean(),
  alphas: fc.constantFrom(1, 2),
  maxConcurrency: fc.constantFrom(1024, 2),
  maxBacklog: fc.constantFrom(1024, 1),
  stopTimeoutMs: fc.constantFrom(500, 10_000),
  idleTimeoutMs: fc.constantFrom(2000, 60_000),
  streamIdleMs: fc.constantFrom(3000, 60_000),
  queue: fc.boolean(),
  contexts: fc.constantFrom(false, false, false, false, false, true),
}) as fc.Arbitrary<Setting>;

/** Programs of clients, services and what happens to them. */
export const programs: fc.Arbitrary<Program> = fc.record({
  setting,
  steps: fc.array(fc.record({ afterMs: fc.constantFrom(0, 0, 1, 10, 50, 300, 1500), action }), {
    minLength: 1,
    maxLength: 12,
  }),
});

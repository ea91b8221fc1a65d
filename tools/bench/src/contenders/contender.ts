import type { Sample } from '../harness/report/sample.ts';

/** The topics of a contender: one subscriber, 100 of them, and a queue of 4. */
export type EventTopic = 'events' | 'many' | 'shared';

/** Subscribers of `many` and members of `shared`, all in the process of the server. */
export const manySubscribers = 100;
export const queueMembers = 4;

/** Gets what is published; without a topic, on `events`. */
export type OnEvent = (event: Sample, topic?: EventTopic) => void;

/** Where both halves of a contender meet. */
export interface Meeting {
  /** `127.0.0.1:PORT` of the nats-server. */
  readonly address: string;
  /** The contender's own name, which keeps its subjects apart from those of others. */
  readonly name: string;
}

/** The answering half, in a process of its own. */
export interface ContenderServer {
  close(): Promise<void>;
}

/** The asking half, in a process of its own. What it does not offer, the workload leaves out. */
export interface ContenderClient {
  call(request: Sample): Promise<Sample>;
  /** A call that takes a millisecond of the server's processor, given up after `patienceMs`. */
  callHeavy?(request: Sample): Promise<Sample>;
  callBytes?(body: Uint8Array): Promise<Uint8Array>;
  /** A promise that it returns is waited for. Without a topic it goes to `events`. */
  publish?(event: Sample, topic?: EventTopic): unknown;
  /** Asks for a stream of `count` samples and resolves after the last. */
  stream?(count: number, onMessage: (message: Sample) => void): Promise<void>;
  /** Sends samples on one stream, each once the answer to the one before has come; resolves with the times in ms. */
  pingPong?(count: number): Promise<readonly number[]>;
  close(): Promise<void>;
}

/**
 * One way to call a service over NATS. Both ends parse and stringify the same JSON.
 *
 * The server answers `call` with `answer`, `callHeavy` with `heavyAnswer`, `callBytes` with the same bytes, `stream`
 * with the samples from 0 up, and hands what is published to `onEvent`.
 */
export interface Contender {
  serve(meeting: Meeting, onEvent: OnEvent): Promise<ContenderServer>;
  /** Resolves once a call would be answered. */
  connect(meeting: Meeting): Promise<ContenderClient>;
}

/** A contender that is no module of Node: a program that obeys the same commands as the Node halves. */
export interface ContenderProgram {
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
}

import type { Sample } from '../harness/report/sample.ts';

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
  /** A promise that it returns is waited for. */
  publish?(event: Sample): unknown;
  /** Asks for a stream of `count` samples and resolves after the last. */
  stream?(count: number, onMessage: (message: Sample) => void): Promise<void>;
  close(): Promise<void>;
}

/**
 * One way to call a service over NATS. Both ends parse and stringify the same JSON.
 *
 * The server answers `call` with `answer`, `callHeavy` with `heavyAnswer`, `callBytes` with the same bytes, `stream`
 * with the samples from 0 up, and hands what is published to `onEvent`.
 */
export interface Contender {
  serve(meeting: Meeting, onEvent: (event: Sample) => void): Promise<ContenderServer>;
  /** Resolves once a call would be answered. */
  connect(meeting: Meeting): Promise<ContenderClient>;
}

/** A contender that is no module of Node: a program that obeys the same commands as the Node halves. */
export interface ContenderProgram {
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
}

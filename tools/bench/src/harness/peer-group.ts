import type { PeerProcess } from './peer-process.ts';

/** Processes that are asked, and end, together. */
export class PeerGroup implements AsyncDisposable {
  readonly #members: readonly PeerProcess[];

  constructor(members: readonly PeerProcess[]) {
    this.#members = members;
  }

  /** Asks all at once. */
  each<Result>(ask: (member: PeerProcess, index: number) => Promise<Result>): Promise<Result[]> {
    return Promise.all(this.#members.map(ask));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map((member) => member[Symbol.asyncDispose]()));
  }
}

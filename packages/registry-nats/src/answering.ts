import type { Logger } from '@ts-micro/core';
import { PeerQueues, shown } from '@ts-micro/kit';
import { isSubject, type NatsConnection, type NatsMessage, peerOf } from '@ts-micro/nats';
import { decodeQuestion, type Question } from './wire/messages.ts';

export interface AnsweringInit {
  readonly connection: Pick<NatsConnection, 'room'>;
  readonly logger: Logger;
  /** Whether there is anything to answer to a question. */
  readonly hasAnswer: (question: Question) => boolean;
  /** Publishes the answers to a question; returns how many bytes they have. Never throws. */
  readonly answer: (question: Question, reply: string) => number;
}

interface Asked {
  readonly question: Question;
  readonly reply: string;
}

interface Spent {
  questions: number;
  bytes: number;
}

const windowMs = 1000;
/**
 * What one process may ask, and be answered, in a second; the last answers may go beyond it. A thousand clients that
 * start in one process at once ask for less.
 */
const mostQuestions = 10_000;
const mostBytes = 32 * 1024 * 1024;
/** Processes that are told apart in a second; whoever comes beyond is bounded by what the server takes. */
const mostPeers = 10_000;
/** Questions that wait until the server has taken what was written. */
const mostWaiting = 10_000;

/**
 * Decides which questions of the registry are answered, and when: no more of one process in a second than a bound, and
 * no faster than the server takes the answers, each process in its turn.
 *
 * A question of some bytes is answered with every record, so who asks without end would have this process write without
 * end.
 */
export class Answering {
  readonly #init: AnsweringInit;
  readonly #waiting = new PeerQueues<Asked>();
  readonly #spent = new Map<string, Spent>();
  #endsAt = Number.NEGATIVE_INFINITY;

  constructor(init: AnsweringInit) {
    this.#init = init;
  }

  /** Answers a question now, once there is room, or not at all. Throws `malformed`. */
  take({ reply, data }: Pick<NatsMessage, 'reply' | 'data'>): void {
    const { logger, connection, hasAnswer } = this.#init;
    const question = decodeQuestion(data);
    // Whoever asks chooses where the answer goes, so it goes nowhere that the server listens itself.
    if (question === undefined || reply === undefined || !isSubject(reply)) return;
    // Everybody hears what is asked of others: of that, as much as anybody likes.
    if (!hasAnswer(question)) return;
    const peer = peerOf(reply);
    if (this.#isTooMuch(peer)) {
      logger.warn('questions left unanswered, one process asks too many', { peer: shown(peer) });
      return;
    }
    if (this.#waiting.size === 0 && connection.room() === undefined) this.#answer(peer, { question, reply });
    else this.#wait(peer, { question, reply });
  }

  /** Answers nothing any more. */
  stop(): void {
    this.#waiting.clear();
  }

  #isTooMuch(peer: string): boolean {
    const now = performance.now();
    if (now >= this.#endsAt) {
      this.#spent.clear();
      this.#endsAt = now + windowMs;
    }
    const spent = this.#spent.get(peer);
    if (spent !== undefined) return ++spent.questions > mostQuestions || spent.bytes >= mostBytes;
    if (this.#spent.size < mostPeers) this.#spent.set(peer, { questions: 1, bytes: 0 });
    return false;
  }

  #answer(peer: string, { question, reply }: Asked): void {
    const bytes = this.#init.answer(question, reply);
    const spent = this.#spent.get(peer);
    if (spent !== undefined) spent.bytes += bytes;
  }

  /** Where too many wait, the process that has most of them loses its newest, unless that is the one who asks. */
  #wait(peer: string, asked: Asked): void {
    if (this.#waiting.size >= mostWaiting) {
      const most = this.#waiting.largest('size');
      if (most === undefined || most.size <= (this.#waiting.of(peer)?.size ?? 0) + 1) return;
      this.#waiting.take(most.peer, 'newest');
    }
    this.#waiting.push(peer, asked);
    if (this.#waiting.size === 1) void this.#answerWaiting();
  }

  async #answerWaiting(): Promise<void> {
    while (this.#waiting.size > 0) {
      await this.#init.connection.room();
      const next = this.#waiting.next;
      if (next === undefined) return;
      const { peer } = next;
      this.#waiting.endTurn(peer);
      const asked = this.#waiting.take(peer);
      if (!this.#hasSpent(peer)) this.#answer(peer, asked);
    }
  }

  #hasSpent(peer: string): boolean {
    return (this.#spent.get(peer)?.bytes ?? 0) >= mostBytes;
  }
}

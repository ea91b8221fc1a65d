import { appendFile, readFile, writeFile } from 'node:fs/promises';
import type { Broker } from '@ts-micro/core';

export interface OutboxRow {
  readonly id: string;
  readonly topic: string;
  readonly text: string;
}

/**
 * An outbox in a file: a change and its event are one line, so that both are there or neither. What was published is
 * counted in another.
 */
export class FileOutbox {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  async commit(change: object, event: OutboxRow): Promise<void> {
    await appendFile(this.#file, `${JSON.stringify({ change, event })}\n`, { flush: true });
  }

  async oldest(): Promise<OutboxRow | undefined> {
    const lines = (await readFile(this.#file, 'utf8')).split('\n');
    // A line without an end was cut short by a crash, and is not committed.
    const committed = lines.slice(0, -1)[await this.#published()];
    return committed === undefined ? undefined : JSON.parse(committed).event;
  }

  async remove(): Promise<void> {
    await writeFile(`${this.#file}.published`, String((await this.#published()) + 1), { flush: true });
  }

  async #published(): Promise<number> {
    return Number(await readFile(`${this.#file}.published`, 'utf8').catch(() => '0'));
  }
}

/** Publishes what waits, in its order. Rejects where an event cannot be stored: call it again. */
export async function publishOutbox(outbox: FileOutbox, broker: Broker): Promise<void> {
  for (let row = await outbox.oldest(); row !== undefined; row = await outbox.oldest()) {
    await broker.publish(row.topic, { headers: {}, body: new TextEncoder().encode(row.text) }, { id: row.id });
    await outbox.remove();
  }
}

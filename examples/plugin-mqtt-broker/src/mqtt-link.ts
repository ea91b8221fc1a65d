import { type AbortOptions, MicroError } from '@ts-micro/core';
import { Fifo, throwIfAborted } from '@ts-micro/kit';
import type { IConnackPacket, MqttClient } from 'mqtt';

export interface MqttLinkOptions {
  readonly client: MqttClient;
  readonly lost: Promise<void>;
  readonly who: string;
  /** What the server allows. */
  readonly limits: IConnackPacket['properties'];
}

export interface Publication {
  readonly topic: string;
  readonly body: Uint8Array;
  readonly userProperties: Readonly<Record<string, string>>;
}

const mostUnacknowledged = 65_535;
const longestText = 65_535;
/** More than the parts of a packet that are the same in all. */
const fixedBytes = 64;

/** One connection to a server, and what this server allows. It is over once it is lost. */
export class MqttLink {
  readonly client: MqttClient;
  readonly lost: Promise<void>;
  readonly #who: string;
  readonly #largest: number;
  /** How many more publications the server takes before it has acknowledged one. */
  #room: number;
  readonly #waiting = new Fifo<() => void>();

  constructor({ client, lost, who, limits }: MqttLinkOptions) {
    this.client = client;
    this.lost = lost;
    this.#who = who;
    this.#largest = limits?.maximumPacketSize ?? Number.POSITIVE_INFINITY;
    this.#room = limits?.receiveMaximum ?? mostUnacknowledged;
  }

  /** Resolves once the server has it. */
  async publish({ topic, body, userProperties }: Publication, { signal }: AbortOptions): Promise<void> {
    const texts = [topic, ...Object.entries(userProperties).flat()];
    const size = texts.reduce((bytes, text) => bytes + this.#sizeOf(text), fixedBytes + body.byteLength);
    // It would end the connection.
    if (size > this.#largest) throw this.#tooLarge(size, this.#largest);
    // The client sends nothing for a list of none, and does not say so.
    const properties = texts.length > 1 ? { userProperties } : {};
    const payload = Buffer.from(body);
    if (this.#room > 0) this.#room--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      throwIfAborted(signal, this.#who);
      await this.client.publishAsync(topic, payload, { qos: 1, properties });
    } finally {
      const next = this.#waiting.take();
      if (next) next();
      else this.#room++;
    }
  }

  #sizeOf(text: string): number {
    const bytes = Buffer.byteLength(text);
    if (bytes > longestText) throw this.#tooLarge(bytes, longestText);
    return bytes + 3;
  }

  #tooLarge(bytes: number, limit: number): MicroError {
    return new MicroError('too_large', `${this.#who}: ${bytes} bytes of topic, headers or all are more than ${limit}`);
  }
}

import { MicroError } from '@ts-micro/core';
import { escaped } from './consumer-name.ts';
import { type JetStreamBrokerSettings, type StreamOptions, who } from './jetstream-broker-options.ts';

/** A stream that keeps the messages of some topics. */
export interface TopicStream {
  readonly options: StreamOptions & { readonly name: string };
  /** The subjects whose messages the stream takes. */
  readonly subjects: readonly string[];
  /** The subject of a topic, or of a pattern of topics. */
  subjectOf(topic: string): string;
  topicOf(subject: string): string;
}

/** Finds the stream of a topic. */
export class TopicStreams {
  readonly #main: TopicStream;
  /** Where each topic has a stream of its own, those that were asked for. */
  readonly #byTopic: Map<string, TopicStream> | undefined;
  readonly #own: readonly { readonly pattern: readonly string[]; readonly stream: TopicStream }[];

  constructor({
    stream,
    dialect,
    subjectPrefix,
    streams,
  }: Pick<JetStreamBrokerSettings, 'stream' | 'dialect' | 'subjectPrefix' | 'streams'>) {
    this.#byTopic = dialect === 'natsjs' ? new Map() : undefined;
    const prefix = `${subjectPrefix}.`;
    this.#main = {
      options: stream,
      subjects: [`${prefix}>`],
      subjectOf: (topic) => prefix + topic,
      topicOf: (subject) => subject.slice(prefix.length),
    };
    this.#own = Object.entries(streams).map(([topic, options]) => ({
      pattern: topic.split('.'),
      stream: {
        options,
        // One stream may be that of several entries.
        subjects: Object.keys(streams).filter((other) => streams[other]?.name === options.name),
        subjectOf: (name) => name,
        topicOf: (subject) => subject,
      },
    }));
  }

  /** The stream of a topic or a pattern. Throws `invalid` for a pattern whose topics are in several streams. */
  of(topic: string): TopicStream {
    const tokens = topic.split('.');
    const overlapping = this.#own.filter(({ pattern }) => overlaps(pattern, tokens));
    if (overlapping.length === 0) return this.#byTopic === undefined ? this.#main : this.#ofOne(topic, this.#byTopic);
    const covering = overlapping.find(({ pattern }) => covers(pattern, tokens));
    const names = new Set(overlapping.map(({ stream }) => stream.options.name));
    if (covering !== undefined && names.size === 1) return covering.stream;
    throw new MicroError('invalid', `${who}: the topics of "${topic}" are in several streams: subscribe to each`);
  }

  /** As Go Micro's `events/natsjs` makes it. A stream's name has no dots, and there Go subscribes to no such topic. */
  #ofOne(topic: string, byTopic: Map<string, TopicStream>): TopicStream {
    let stream = byTopic.get(topic);
    if (stream === undefined) {
      if (/(^|\.)[*>](\.|$)/.test(topic)) {
        throw new MicroError('unsupported', `${who}: with the dialect natsjs "${topic}" cannot have a wildcard`);
      }
      const name = /[./\\]/.test(topic) ? `${this.#main.options.name}_${escaped(topic)}` : topic;
      const options = { ...this.#main.options, name };
      stream = { options, subjects: [topic], subjectOf: () => topic, topicOf: () => topic };
      byTopic.set(topic, stream);
    }
    return stream;
  }
}

/** Whether some topic is of both. */
function overlaps([a, ...restOfA]: readonly string[], [b, ...restOfB]: readonly string[]): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a === '>' || b === '>') return true;
  return (a === '*' || b === '*' || a === b) && overlaps(restOfA, restOfB);
}

/** Whether every topic of the second is of the first. */
function covers([a, ...restOfA]: readonly string[], [b, ...restOfB]: readonly string[]): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a === '>') return true;
  return b !== '>' && (a === '*' || a === b) && covers(restOfA, restOfB);
}

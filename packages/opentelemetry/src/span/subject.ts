import { type Attributes, SpanKind } from '@opentelemetry/api';
import type { MiddlewareCall } from '@ts-micro/service';
import { guarded } from '../guarded.ts';
import { attribute, rpcSystem } from '../names.ts';

/** What a call, stream or event is about: the same for all of one endpoint or topic. */
export interface Subject {
  readonly spanName: string;
  readonly spanKind: SpanKind;
  /** Of the span, as it starts: what a sampler can go by. */
  readonly attributes: Attributes;
  /** Of the metrics: few values each. */
  readonly measured: Attributes;
  /** A call of it got as far as its service, or it is none that somebody could have made up. */
  isProven: boolean;
}

const mostKept = 1000;
/** Names of which nothing is known yet that have series of their own. */
const mostUnproven = 100;

/** Returns the topic without what changes from event to event; `undefined` where it is as good as it is. */
export type TopicTemplate = (topic: string) => string | undefined;

/**
 * The subjects seen so far, so that their attributes are made once. Bounded, as topics may be made up, and so may be
 * the names that a gateway passes on.
 */
export class Subjects {
  readonly #kept = new Map<string, Subject>();
  readonly #unproven = new Set<string>();
  readonly #template: TopicTemplate | undefined;

  constructor(template: TopicTemplate | undefined) {
    this.#template = template;
  }

  of(call: MiddlewareCall): Subject {
    const { subscription } = call;
    const way = subscription === undefined ? '' : `${subscription.topic} ${subscription.queue ?? ''}`;
    const key = `${call.side} ${call.kind} ${call.carrier} ${call.service} ${call.name} ${way}`;
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const subject = call.kind === 'event' ? this.#event(call) : rpcSubject(call);
    if (this.#kept.size < mostKept) this.#kept.set(key, subject);
    return subject;
  }

  /** Whether it may be a series, or counts among all others. */
  isNamed({ isProven, spanName }: Subject): boolean {
    if (isProven || this.#unproven.has(spanName)) return true;
    if (this.#unproven.size >= mostUnproven) return false;
    this.#unproven.add(spanName);
    return true;
  }

  /** An operation on it is over; `isUnknown` where there is no such service or endpoint. */
  ended(subject: Subject, isUnknown: boolean): void {
    if (!isUnknown) subject.isProven = true;
    // Makes room again for those that there are.
    else if (!subject.isProven && this.#kept.size >= mostKept) this.#forgetUnproven();
  }

  #forgetUnproven(): void {
    for (const [key, { isProven }] of this.#kept) if (!isProven) this.#kept.delete(key);
  }

  #event({ side, name, carrier, subscription }: MiddlewareCall): Subject {
    const isSent = side === 'client';
    const operation = isSent ? 'publish' : 'process';
    const pattern = subscription?.topic;
    const template = pattern !== undefined && pattern !== name ? pattern : guarded(() => this.#template?.(name));
    const base: Attributes = {
      [attribute.messagingSystem]: carrier,
      [attribute.operationName]: operation,
      [attribute.operationType]: isSent ? 'send' : 'process',
      ...(template !== undefined && { [attribute.destinationTemplate]: template }),
      ...(subscription?.queue !== undefined && { [attribute.consumerGroup]: subscription.queue }),
    };
    const named = { ...base, [attribute.destination]: name };
    return {
      spanName: `${operation} ${template ?? name}`,
      spanKind: isSent ? SpanKind.PRODUCER : SpanKind.CONSUMER,
      attributes: named,
      measured: template === undefined ? named : base,
      isProven: true,
    };
  }
}

function rpcSubject({ side, service, name }: MiddlewareCall): Subject {
  const method = `${service}/${name}`;
  const attributes: Attributes = {
    [attribute.rpcSystem]: rpcSystem,
    [attribute.rpcMethod]: method,
    ...(side === 'client' && { [attribute.serverAddress]: service }),
  };
  return {
    spanName: method,
    spanKind: side === 'client' ? SpanKind.CLIENT : SpanKind.SERVER,
    attributes,
    measured: attributes,
    isProven: side === 'server',
  };
}

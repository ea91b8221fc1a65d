import {
  type Attributes,
  type Context,
  type Counter,
  type Histogram,
  type Span,
  SpanStatusCode,
  type UpDownCounter,
} from '@opentelemetry/api';
import { MicroError } from '@ts-micro/core';
import type { MiddlewareCall } from '@ts-micro/service';
import { guarded } from '../guarded.ts';
import { rememberSpan } from '../log/correlated-logger.ts';
import type { Instruments } from '../metric/instruments.ts';
import { attribute, retryEvent } from '../names.ts';
import type { StreamCounter } from '../stream/counted-stream.ts';
import { exceptionOf } from './exception.ts';
import { clientFailure, type Failure, serverFailure } from './failure.ts';
import { shortText } from './short-text.ts';
import type { Subject, Subjects } from './subject.ts';

export interface OperationInit {
  readonly call: MiddlewareCall;
  readonly subjects: Subjects;
  readonly subject: Subject;
  readonly span: Span;
  /** The context in which it runs. */
  readonly context: Context;
  readonly instruments: Instruments;
}

/** One call, stream or event from its beginning to its end, as a span and in the metrics. */
export class Operation implements StreamCounter {
  /** The context in which it runs. */
  readonly context: Context;
  readonly #call: MiddlewareCall;
  readonly #subject: Subject;
  readonly #subjects: Subjects;
  /** Of the metrics: its own, or those of all others where it may have been made up. */
  readonly #counted: Attributes;
  readonly #span: Span;
  readonly #instruments: Instruments;
  readonly #began: number = performance.now();
  #sent = 0;
  #received = 0;
  #isOver = false;

  constructor({ call, subjects, subject, span, context, instruments }: OperationInit) {
    this.#call = call;
    this.#subject = subject;
    this.#subjects = subjects;
    this.#counted = subjects.isNamed(subject) ? subject.measured : ofOthers(subject);
    this.#span = span;
    this.context = context;
    this.#instruments = instruments;
    guarded(() => this.#active.add(1, this.#counted));
  }

  onSent(): void {
    this.#sent++;
    guarded(() => this.#instruments.streamMessages.add(1, this.#towards('transmit')));
  }

  onReceived(): void {
    this.#received++;
    guarded(() => this.#instruments.streamMessages.add(1, this.#towards('receive')));
  }

  succeed(): void {
    this.#end(undefined);
  }

  fail(thrown: unknown): void {
    if (this.#isOver) return;
    const isClient = this.#call.side === 'client';
    const failure = isClient ? clientFailure(thrown) : serverFailure(thrown);
    guarded(() => {
      const span = this.#span;
      if ('isCrash' in failure) {
        rememberSpan(thrown, span.spanContext());
        // What a caller asked wrongly is no error of the service.
        if (!failure.isCrash && this.#call.kind !== 'event') return;
        if (!MicroError.is(thrown)) span.recordException(exceptionOf(thrown));
      }
      span.setStatus({ code: SpanStatusCode.ERROR, message: shortText(failure.message) });
    });
    this.#end(failure, thrown);
  }

  get #active(): UpDownCounter {
    const { clientActive, serverActive, eventsActive } = this.#instruments;
    if (this.#call.kind !== 'event') return this.#call.side === 'client' ? clientActive : serverActive;
    return this.#call.side === 'client' ? nothing : eventsActive;
  }

  get #duration(): Histogram {
    const { clientDuration, serverDuration, publishDuration, processDuration } = this.#instruments;
    if (this.#call.kind === 'event') return this.#call.side === 'client' ? publishDuration : processDuration;
    return this.#call.side === 'client' ? clientDuration : serverDuration;
  }

  get #messages(): Counter | undefined {
    if (this.#call.kind !== 'event') return undefined;
    return this.#call.side === 'client' ? this.#instruments.sentMessages : this.#instruments.consumedMessages;
  }

  #end(failure: Failure | undefined, thrown?: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    guarded(() => this.#active.add(-1, this.#counted));
    guarded(() => {
      const attributes = this.#measured(failure, thrown);
      this.#duration.record((performance.now() - this.#began) / 1000, attributes);
      this.#messages?.add(1, attributes);
      this.#countRetries();
    });
    guarded(() => {
      if (this.#span.isRecording()) this.#describe(failure);
    });
    guarded(() => this.#span.end());
  }

  #measured(failure: Failure | undefined, thrown: unknown): Attributes {
    // Whatever somebody made up as a name would be a time series otherwise.
    const { side, kind } = this.#call;
    const isUnknown = side === 'client' && kind !== 'event' && MicroError.is(thrown, 'not_found');
    const isReached = failure === undefined || failure.status !== undefined;
    if (isReached || isUnknown) this.#subjects.ended(this.#subject, isUnknown);
    if (failure === undefined) return this.#subject.measured;
    return { ...(isUnknown ? ofOthers(this.#subject) : this.#counted), ...attributesOf(failure) };
  }

  #countRetries(): void {
    for (const { error } of this.#call.failedAttempts ?? [])
      this.#instruments.retries.add(1, { ...this.#counted, [attribute.errorType]: clientFailure(error).type });
  }

  #describe(failure: Failure | undefined): void {
    const span = this.#span;
    const { node, failedAttempts = [], kind, side } = this.#call;
    if (failure !== undefined) span.setAttributes(attributesOf(failure));
    if (kind === 'stream')
      span.setAttributes({
        [attribute.messagesSent]: this.#sent,
        [attribute.messagesReceived]: this.#received,
      });
    if (side !== 'client' || kind === 'event') return;
    if (node !== undefined) span.setAttribute(attribute.nodeId, node.id);
    if (failedAttempts.length === 0) return;
    span.setAttribute(attribute.attempts, failedAttempts.length + 1);
    failedAttempts.forEach(({ failedAt, node: failed, error }, index) => {
      const { type, message } = clientFailure(error);
      span.addEvent(
        retryEvent,
        {
          [attribute.attempt]: index + 1,
          [attribute.errorType]: type,
          [attribute.errorMessage]: shortText(message),
          ...(failed !== undefined && { [attribute.nodeId]: failed.id }),
        },
        failedAt,
      );
    });
  }

  #towards(direction: 'transmit' | 'receive'): Attributes {
    return { ...this.#counted, [attribute.direction]: direction };
  }
}

/** What is counted without a name. */
function ofOthers({ measured }: Subject): Attributes {
  const { [attribute.serverAddress]: _address, ...others } = measured;
  return { ...others, [attribute.rpcMethod]: '_OTHER' };
}

const nothing: UpDownCounter = { add: () => {} };

function attributesOf({ type, status }: Failure): Attributes {
  return { [attribute.errorType]: type, ...(status !== undefined && { [attribute.rpcStatus]: status }) };
}

import {
  type Counter,
  createNoopMeter,
  type Histogram,
  type Meter,
  type MeterProvider,
  metrics,
  type UpDownCounter,
} from '@opentelemetry/api';
import { ignoreRejection } from '@ts-micro/kit';
import { metric } from '../names.ts';

/** What is written to in the course of calls, streams and events. */
export interface Instruments {
  /** Nobody reads them, as no SDK is registered. */
  readonly isSilent: boolean;
  readonly clientDuration: Histogram;
  readonly serverDuration: Histogram;
  readonly publishDuration: Histogram;
  readonly processDuration: Histogram;
  readonly sentMessages: Counter;
  readonly consumedMessages: Counter;
  readonly clientActive: UpDownCounter;
  readonly serverActive: UpDownCounter;
  readonly eventsActive: UpDownCounter;
  readonly retries: Counter;
  readonly streamMessages: Counter;
}

export const scopeName = '@ts-micro/opentelemetry';
export const schemaUrl = 'https://opentelemetry.io/schemas/1.45.0';

/** In seconds; those that the semantic conventions advise. */
const boundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

export function meterOf(provider: MeterProvider): Meter {
  const meter = provider.getMeter(scopeName, undefined, { schemaUrl });
  // A promise is no meter, and what uses it says so.
  ignoreRejection(meter);
  return meter;
}

/**
 * Returns a function that gives the instruments of `given`, else of the API's global provider as it is then: what that
 * hands out before an SDK is registered does nothing for good.
 */
export function currentInstruments(given: MeterProvider | undefined): () => Instruments {
  let provider: MeterProvider | undefined;
  let instruments: Instruments | undefined;
  return () => {
    const present = given ?? metrics.getMeterProvider();
    if (instruments === undefined || present !== provider) {
      provider = present;
      instruments = instrumentsOf(meterOf(present));
    }
    return instruments;
  };
}

function instrumentsOf(meter: Meter): Instruments {
  const duration = (name: string, description: string): Histogram =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: boundaries } });
  const count = (name: string, unit: string, description: string): Counter =>
    meter.createCounter(name, { unit, description });
  const active = (name: string, unit: string, description: string): UpDownCounter =>
    meter.createUpDownCounter(name, { unit, description });
  return {
    isSilent: meter === createNoopMeter(),
    clientDuration: duration(metric.clientDuration, 'Duration of outgoing calls with all their attempts.'),
    serverDuration: duration(metric.serverDuration, 'Duration of incoming calls.'),
    publishDuration: duration(metric.publishDuration, 'Duration of handing an event to the broker.'),
    processDuration: duration(metric.processDuration, 'Duration of handling an event.'),
    sentMessages: count(metric.sentMessages, '{message}', 'Events that were to be published.'),
    consumedMessages: count(metric.consumedMessages, '{message}', 'Events that came to a handler.'),
    clientActive: active(metric.clientActive, '{call}', 'Outgoing calls and streams under way.'),
    serverActive: active(metric.serverActive, '{call}', 'Incoming calls and streams under way.'),
    eventsActive: active(metric.eventsActive, '{message}', 'Events being handled.'),
    retries: count(metric.retries, '{attempt}', 'Attempts of calls that failed and were followed by another.'),
    streamMessages: count(metric.streamMessages, '{message}', 'Messages of streams, by direction.'),
  };
}

import type { Attributes, BatchObservableResult, Meter, Observable } from '@opentelemetry/api';
import type { Broker, Closable, Logger, Registry, Transport } from '@ts-micro/core';
import { Lifetime, OptionChecks, safeLogger } from '@ts-micro/kit';
import type { Service } from '@ts-micro/service';
import { guarded } from '../guarded.ts';
import { attribute, metric } from '../names.ts';
import { RegistrySize } from './registry-size.ts';

/** What became of the messages that a broker was to publish; brokers that count them have it as `stats`. */
export interface PublishCounts {
  readonly refused: number;
  readonly confirmed: number;
  readonly uncertain: number;
}

type ObservedService = Pick<Service, 'name' | 'health'>;

/** The services and plugins whose state is shown. Each stays its owner's. */
export interface Observed {
  readonly services?: readonly ObservedService[] | undefined;
  readonly transport?: Transport | undefined;
  readonly broker?: (Broker & { readonly stats?: PublishCounts }) | undefined;
  /** Watched as a whole, to tell how much is in it. */
  readonly registry?: Registry | undefined;
  /** Told where the registry cannot be watched. @default silent */
  readonly logger?: Logger | undefined;
}

const outcomes = ['refused', 'confirmed', 'uncertain'] as const;

/** Shows the state of what is observed at every collection of `meter`, until it is closed. */
export function observe(meter: Meter, observed: Observed): Closable {
  const { services = [], transport, broker, registry, logger } = observed;
  const checks = new OptionChecks('opentelemetry: observe');
  if (!Array.isArray(services)) throw checks.invalid('services', services, 'a list of services');
  if (registry !== undefined && typeof registry?.watch !== 'function')
    throw checks.invalid('registry', registry, 'a registry');
  const ending = new AbortController();
  const size =
    registry?.supports.watch === true ? new RegistrySize(registry, ending.signal, safeLogger(logger)) : undefined;
  const gauge = (name: string, unit: string, description: string) =>
    meter.createObservableGauge(name, { unit, description });
  const gauges = {
    ready: gauge(metric.serviceReady, '1', '1 while a service takes requests and can be reached, else 0.'),
    running: gauge(metric.serviceRunning, '{handler}', 'Handlers of a service that run.'),
    refused: meter.createObservableCounter(metric.serviceRefused, {
      unit: '{request}',
      description: 'Requests and streams that a service refused, as there was no room, or none in time.',
    }),
    connected: gauge(metric.pluginConnected, '1', '1 while a plugin reaches its server, 0 while it knows that not.'),
    services: gauge(metric.registryServices, '{service}', 'Services in the registry.'),
    nodes: gauge(metric.registryNodes, '{node}', 'Nodes in the registry.'),
    messages: meter.createObservableCounter(metric.brokerMessages, {
      unit: '{message}',
      description: 'What became of the messages that were to be published.',
    }),
  };
  const collect = (result: BatchObservableResult): void => {
    const tell = (instrument: Observable, value: number, attributes: Attributes): void =>
      result.observe(instrument, value, attributes);
    for (const [name, { isReady, running, refused }] of statesOf(services)) {
      const attributes = { [attribute.service]: name };
      tell(gauges.ready, isReady ? 1 : 0, attributes);
      tell(gauges.running, running, attributes);
      tell(gauges.refused, refused, attributes);
    }
    for (const [kind, plugin] of Object.entries({ transport, broker, registry })) {
      guarded(() => {
        if (plugin?.isConnected === undefined) return;
        const attributes = { [attribute.pluginKind]: kind, [attribute.plugin]: plugin.name };
        tell(gauges.connected, plugin.isConnected ? 1 : 0, attributes);
      });
    }
    guarded(() => {
      const now = size?.now;
      if (now === undefined) return;
      const attributes = { [attribute.plugin]: registry?.name ?? '' };
      tell(gauges.services, now.services, attributes);
      tell(gauges.nodes, now.nodes, attributes);
    });
    guarded(() => {
      const stats = broker?.stats;
      if (stats === undefined) return;
      for (const outcome of outcomes)
        tell(gauges.messages, stats[outcome], { [attribute.plugin]: broker?.name ?? '', [attribute.outcome]: outcome });
    });
  };
  const observables = Object.values(gauges);
  meter.addBatchObservableCallback(collect, observables);
  // Last: where the meter throws, nobody could end it.
  const following = size?.follow();
  const life = new Lifetime('opentelemetry: observe', async () => {
    ending.abort();
    guarded(() => meter.removeBatchObservableCallback(collect, observables));
    await following;
  });
  return {
    get closed() {
      return life.closed;
    },
    close: (options) => life.close(options),
    [Symbol.asyncDispose]: () => life.close(),
  };
}

interface ServiceFigures {
  readonly isReady: boolean;
  readonly running: number;
  readonly refused: number;
}

/** Those of one name count as one: all of them are ready, or it is not. */
function statesOf(services: readonly ObservedService[]): Map<string, ServiceFigures> {
  const states = new Map<string, ServiceFigures>();
  for (const service of services) {
    guarded(() => {
      const { ready, running, refused } = service.health();
      const known = states.get(service.name);
      states.set(service.name, {
        isReady: ready && (known?.isReady ?? true),
        running: running + (known?.running ?? 0),
        refused: refused + (known?.refused ?? 0),
      });
    });
  }
  return states;
}

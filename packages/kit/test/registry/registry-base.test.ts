import type { ServiceRecord, Watcher } from '@ts-micro/core';
import { RecordWatcher, RegistryBase } from '@ts-micro/kit';
import { describe, expect, test } from 'vitest';

/** A backend that notes what reaches it. */
class NotingRegistry extends RegistryBase {
  readonly name = 'noting';
  readonly noted: unknown[] = [];

  constructor() {
    super('noting registry');
  }

  protected async put(record: ServiceRecord): Promise<void> {
    this.noted.push(['put', record]);
  }

  protected async remove(record: ServiceRecord): Promise<void> {
    this.noted.push(['remove', record]);
  }

  protected async look(name: string | undefined): Promise<readonly ServiceRecord[]> {
    this.noted.push(['look', name]);
    return [];
  }

  protected async follow(service: string | undefined): Promise<Watcher> {
    this.noted.push(['follow', service]);
    return new RecordWatcher({ what: 'noting registry: watcher', service, known: () => [], stop: () => {} });
  }

  protected release(): void {
    this.noted.push(['release']);
  }
}

const service: ServiceRecord = {
  name: 'greeter',
  version: '1',
  metadata: {},
  endpoints: [],
  nodes: [{ id: 'a', address: 'b', metadata: {} }],
};

describe('what reaches the backend of a registry', () => {
  test('is a private copy of a record', async () => {
    const registry = new NotingRegistry();
    await registry.register(service);
    await registry.deregister(service);
    expect(registry.noted).toEqual([
      ['put', service],
      ['remove', service],
    ]);
    for (const [, record] of registry.noted as readonly [string, ServiceRecord][]) {
      expect(record).not.toBe(service);
      expect(record.nodes[0]).not.toBe(service.nodes[0]);
    }
  });

  test('is the name of a service, or `undefined` for all', async () => {
    const registry = new NotingRegistry();
    await registry.getService('greeter');
    await registry.listServices();
    await registry.watch();
    await registry.watch({ service: 'greeter' });
    expect(registry.noted).toEqual([
      ['look', 'greeter'],
      ['look', undefined],
      ['follow', undefined],
      ['follow', 'greeter'],
    ]);
  });

  test('is nothing that is invalid', async () => {
    const registry = new NotingRegistry();
    const invalid = { code: 'invalid' };
    await expect(registry.register(service, { ttlMs: 0 })).rejects.toMatchObject(invalid);
    await expect(registry.register({ ...service, name: '' })).rejects.toMatchObject(invalid);
    await expect(registry.deregister({ ...service, name: '' })).rejects.toMatchObject(invalid);
    await expect(registry.getService('')).rejects.toMatchObject(invalid);
    await expect(registry.watch({ service: '' })).rejects.toMatchObject(invalid);
    expect(registry.noted).toEqual([]);
  });

  test('is nothing after the close, nor where the caller has left', async () => {
    const registry = new NotingRegistry();
    const left = { signal: AbortSignal.abort() };
    await expect(registry.register(service, left)).rejects.toMatchObject({ code: 'canceled' });
    await registry.close();
    await expect(registry.listServices()).rejects.toMatchObject({ code: 'closed' });
    await expect(registry.watch()).rejects.toMatchObject({ code: 'closed' });
    expect(registry.noted).toEqual([['release']]);
  });
});

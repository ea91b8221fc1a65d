import { memoryBroker, memoryTransport } from '@ts-micro/memory';
import { createService } from '@ts-micro/service';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineService, handle, type ServiceDefinition, subscribe, unary, unchecked } from '../src/index.ts';
import { arktypeGreeter, effectGreeter, valibotGreeter, zodGreeter } from './definitions.ts';

const leaf = (name: string, type: string) => ({ name, type, values: [] });

function advertised(definition: ServiceDefinition) {
  const service = createService({ name: 'greeter', transport: memoryTransport(), broker: memoryBroker() });
  for (const name of Object.keys(definition.endpoints)) handle(service, definition, name, (() => {}) as never);
  for (const topic of Object.keys(definition.events)) subscribe(service, definition, topic, () => {});
  return service.record.endpoints;
}

describe('a definition is advertised', () => {
  for (const [validator, greeter] of Object.entries({ zodGreeter, valibotGreeter, arktypeGreeter, effectGreeter })) {
    it(`as Go Micro describes values, with docs for its gateways and JSON Schemas: ${validator}`, () => {
      const endpoints = advertised(greeter as never);
      const hello = endpoints.find(({ name }) => name === 'Greeter.Hello');
      expect(hello?.request?.name).toBe('HelloRequest');
      expect([...(hello?.request?.values ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
        leaf('name', 'string'),
        leaf('tags', '[]Tag'),
      ]);
      expect(hello?.response).toEqual({
        name: 'HelloResponse',
        type: 'HelloResponse',
        values: [leaf('msg', 'string')],
      });
      expect(hello?.metadata).toMatchObject({
        description: 'Greets somebody by name.',
        example: '{"name":"John"}',
        idempotent: 'true',
      });
      expect(JSON.parse(hello?.metadata['request-schema'] ?? '')).toMatchObject({
        type: 'object',
        properties: { name: { type: 'string', minLength: 1 } },
        required: ['name'],
      });
      const count = endpoints.find(({ name }) => name === 'Greeter.Count');
      expect(count?.request).toEqual(leaf('Context', 'Context'));
      expect(count?.metadata).toMatchObject({ stream: 'true', 'stream-kind': 'serverStream' });
      const event = endpoints.find(({ metadata }) => metadata.topic === 'greeter.greeted');
      expect(event?.request?.values).toEqual([leaf('name', 'string')]);
    });
  }

  it('with the types of Go, three levels deep', () => {
    const request = z.object({
      when: z.iso.datetime(),
      count: z.int(),
      ratio: z.number().nullable(),
      on: z.boolean().optional(),
      bytes: z.string().meta({ contentEncoding: 'base64' }),
      kind: z.enum(['a', 'b']),
      labels: z.record(z.string(), z.string()),
      either: z.union([z.string(), z.number()]),
      big: z.bigint(),
      rows: z.array(z.array(z.string())),
      home: z.object({ street: z.object({ name: z.object({ text: z.string() }) }) }),
    });
    const definition = defineService({ name: 'a', endpoints: { 'A.B': unary({ request, response: z.object({}) }) } });
    const street = { name: 'street', type: 'Street', values: [] };
    expect(advertised(definition as never)[0]?.request?.values).toEqual([
      leaf('when', 'Time'),
      leaf('count', 'int64'),
      leaf('ratio', 'float64'),
      leaf('on', 'bool'),
      leaf('bytes', '[]uint8'),
      leaf('kind', 'string'),
      leaf('labels', ''),
      leaf('either', ''),
      leaf('big', ''),
      leaf('rows', '[][]string'),
      { name: 'home', type: 'Home', values: [street] },
    ]);
  });

  it('without what its library cannot tell, and within bounds', () => {
    const large = z.object(Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`field${n}`, z.string()])));
    const small = z.object(Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`field${n}`, z.string()])));
    const many = Array.from(
      { length: 200 },
      (_, n) => [`A.M${n}`, unary({ request: small, response: small })] as const,
    );
    const definition = defineService({
      name: 'a',
      endpoints: {
        'A.Large': unary({ request: large, response: unchecked<string>() }),
        ...Object.fromEntries(many),
      },
    });
    const endpoints = advertised(definition as never);
    const lengths = endpoints.map(({ metadata }) => JSON.stringify(metadata).length);
    expect(endpoints.find(({ name }) => name === 'A.Large')).toMatchObject({ response: undefined, metadata: {} });
    expect(lengths.reduce((sum, length) => sum + length)).toBeLessThan(200 * 1024);
    expect(JSON.stringify(endpoints).length).toBeGreaterThan(0);
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EndpointRecord, type ServiceRecord, serviceRecord, type ValueRecord } from '@ts-micro/core';
import { memoryBroker, memoryTransport } from '@ts-micro/memory';
import { createService } from '@ts-micro/service';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { definitionOf, handle, subscribe } from '../src/index.ts';
import { zodGreeter } from './definitions.ts';

const value = (name: string, type: string = name, values: readonly ValueRecord[] = []): ValueRecord => ({
  name,
  type,
  values,
});

function record(endpoints: readonly Partial<EndpointRecord>[], name = 'go.greeter'): ServiceRecord {
  return serviceRecord({ name, version: '1.0.0', endpoints: endpoints.map((each) => ({ name: 'A.B', ...each })) });
}

/** A definition of one endpoint whose request is a struct of these fields. */
const ofFields = (...fields: readonly ValueRecord[]): string =>
  definitionOf(record([{ request: value('Request', 'Request', fields), response: value('Empty') }]));

function goSource(): string {
  return definitionOf(
    record([
      {
        name: 'Greeter.Hello',
        request: value('HelloRequest', 'HelloRequest', [value('name', 'string')]),
        response: value('HelloResponse', 'HelloResponse', [value('msg', 'string'), value('at', 'int64')]),
        metadata: { description: "Greets, doesn't it." },
      },
      {
        name: 'Greeter.Chat',
        request: value('Context'),
        response: value('Stream'),
        metadata: { stream: 'true' },
      },
      {
        name: 'Func',
        request: value('Say', 'Say', [value('text', 'string')]),
        metadata: { subscriber: 'true', topic: 'greeter.say' },
      },
    ]),
  );
}

function deepSource(): string {
  const deep = value('a', 'A', [value('b', 'B', [value('c', 'C', [value('d', 'D', [value('e', '[]D')])])])]);
  return ofFields(
    value('bytes', '[]uint8'),
    value('time', 'Time'),
    value('took', 'time.Duration'),
    value('list', '[]string'),
    value('grid', '[][]int32'),
    value('big', '[]uint64'),
    value('any', ''),
    value('map', 'map[string][]*shop.D'),
    value('pointer', '*D'),
    value('status', 'Status'),
    value('inline', '', [value('x', 'float64')]),
    deep,
  );
}

function evilSource(): string {
  const evil = `x'); process.exit(1); /* */ \n // \u2028 \u202e\u009b2J \${y} "`;
  return definitionOf(
    record(
      [
        { name: `A.${evil.replaceAll(/\s/g, '')}`, request: value(evil, evil, [value(evil, evil)]) },
        { name: 'A.B', request: value('R', 'R', [value('__proto__', 'string'), value(evil, evil)]) },
        {
          name: 'A.C',
          metadata: { description: evil, 'request-schema': '{"properties":{"a\'b":{}},"type":"object"}' },
        },
        {
          name: 'A.D',
          metadata: { 'request-schema': 'no JSON' },
          request: value('delete', 'delete', [value('a', 'a')]),
        },
        { name: 'events.E' },
        { name: 'bad name' },
        { name: 'Func', metadata: { subscriber: 'true', topic: 'a.*' } },
        { name: 'Func', metadata: { subscriber: 'true', topic: "a.b'" } },
      ],
      evil,
    ),
  );
}

function typedSource(): string {
  const service = createService({ name: 'greeter', transport: memoryTransport(), broker: memoryBroker() });
  const handler = (() => {}) as never;
  for (const name of Object.keys(zodGreeter.endpoints)) handle(service, zodGreeter, name as never, handler);
  subscribe(service, zodGreeter, 'greeter.greeted', () => {});
  return definitionOf(service.record);
}

/** What TypeScript says of a source, with the settings of this repository. */
function complaintsAbout(...sources: readonly string[]): string[] {
  const parent = join(import.meta.dirname, '.generated');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'definition-'));
  try {
    const files = sources.map((source, index) => {
      const file = join(folder, `definition-${index}.ts`);
      writeFileSync(file, source);
      return file;
    });
    const base = join(import.meta.dirname, '../../../tsconfig.base.json');
    const { config } = ts.readConfigFile(base, ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, join(import.meta.dirname, '../../..'));
    const program = ts.createProgram(files, { ...options, isolatedDeclarations: false, declaration: false });
    return ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('a definition of a running service', () => {
  it('has the endpoints, structs and events of a Go service', () => {
    const source = goSource();
    expect(
      source,
    ).toBe(`// go.greeter 1.0.0, as the registry describes it: written by definitionOf of @ts-micro/definition.
// Go does not tell which fields may be left out, nor what is a pointer, in a map or in a stream. \`int\` is a number.
import { bidiStream, defineService, unary, unchecked } from '@ts-micro/definition';

export interface HelloRequest {
  name: string;
}

export interface HelloResponse {
  msg: string;
  /** A 64-bit integer: bigint where a number cannot hold it. */
  at: bigint | number;
}

export interface Say {
  text: string;
}

export const goGreeter = defineService({
  name: 'go.greeter',
  endpoints: {
    'Greeter.Chat': bidiStream({
      request: unchecked<unknown>(),
      response: unchecked<unknown>(),
    }),
    'Greeter.Hello': unary({
      request: unchecked<HelloRequest>(),
      response: unchecked<HelloResponse>(),
      description: "Greets, doesn't it.",
      exactIntegers: true,
    }),
  },
  events: {
    'greeter.say': unchecked<Say>(),
  },
});
`);
  });

  it('maps the types of Go, nested to any depth', () => {
    const source = deepSource();
    expect(source).toContain('/** Bytes, as base64. */\n  bytes: string;');
    expect(source).toContain('/** A time, as ISO 8601 text. */\n  time: string;');
    expect(source).toContain('took: bigint | number;');
    expect(source).toContain('list: string[] | null;');
    expect(source).toContain('grid: (number[] | null)[] | null;');
    expect(source).toContain('big: (bigint | number)[] | null;');
    expect(source).toContain('any: unknown;');
    expect(source).toContain('map: { [key: string]: (D | null)[] | null } | null;');
    expect(source).toContain('pointer: D | null;');
    expect(source).toContain("/** Go's Status, of which the registry says no more. */\n  status: unknown;");
    expect(source).toContain('inline: {\n    x: number;\n  } | null;');
    expect(source).toContain('export interface C {\n  d: D | null;\n}');
    expect(source).toContain('export interface D {\n  e: D[] | null;\n}');
  });

  it('finds elsewhere in the record what one value leaves out', () => {
    const item = value('Item', 'Item', [value('id', 'string')]);
    const source = definitionOf(
      record([
        { name: 'Shop.List', request: value('Empty'), response: value('Items', 'Items', [value('items', '[]Item')]) },
        { name: 'Shop.Put', request: item, response: value('Empty') },
      ]),
    );
    expect(source).toContain('items: Item[] | null;');
  });

  it('keeps types of one name and different fields apart', () => {
    const source = definitionOf(
      record([
        { name: 'A.Get', request: value('Request', 'Request', [value('id', 'string')]), response: value('Empty') },
        { name: 'B.Get', request: value('Request', 'Request', [value('id', 'int64')]), response: value('Empty') },
      ]),
    );
    expect(source).toContain('export interface Request {\n  id: string;\n}');
    expect(source).toContain('export interface Request2 {');
    expect(source).toContain('request: unchecked<Request2>(),');
  });

  it('offers the fields of an embedded struct beside the others', () => {
    const source = ofFields(value('Base', 'Base', [value('id', 'string')]), value('name', 'string'));
    expect(source).toContain('  Base?: Base | null;\n  id?: string;\n  name: string;');
  });

  it('is the same whatever the order of the record', () => {
    const endpoints = ['A.One', 'A.Two', 'B.One', 'B.Two'].map((name, index) => ({
      name,
      request: value('Request', 'Request', [value(`field${index % 3}`, 'string')]),
    }));
    const reordered = [endpoints[2], endpoints[0], endpoints[3], endpoints[1]].map((each) => each ?? {});
    expect(definitionOf(record(reordered))).toBe(definitionOf(record(endpoints)));
  });

  it('makes no code of what somebody has written into the registry', () => {
    const source = evilSource();
    expect(source).not.toMatch(/[^\P{C}\n]/u);
    const parsed = ts.createSourceFile('x.ts', source, ts.ScriptTarget.Latest);
    const kinds = new Set(parsed.statements.map(({ kind }) => ts.SyntaxKind[kind]));
    expect([...kinds].sort()).toEqual([
      'FirstStatement',
      'ImportDeclaration',
      'InterfaceDeclaration',
      'TypeAliasDeclaration',
    ]);
  });

  it('has the types of a typed service, by its JSON Schemas', () => {
    const source = typedSource();
    expect(source).toContain('export type HelloRequest = {\n  name: string;\n  tags?: {\n    id: number;\n  }[];\n};');
    expect(source).toContain("'Greeter.Sum': clientStream({\n      request: unchecked<SumRequest>(),");
    expect(source).toContain('idempotent: true,');
    expect(source).toContain("'greeter.greeted': unchecked<GreeterGreeted>(),");
  });

  it('compiles, whatever was in the record', { timeout: 180_000 }, () => {
    const others = ['delete', '1', 'unary'].map((name) => definitionOf(record([], name)));
    expect(complaintsAbout(goSource(), deepSource(), evilSource(), typedSource(), ...others)).toEqual([]);
  });
});

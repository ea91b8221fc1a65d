import { describe, expect, it } from 'vitest';
import type { Service } from '../../src/server/service.ts';
import { makeGreeter, request, startGreeter, untilTerminal } from './fixture.ts';

const none = undefined as never;
const hello = () => ({});
const wrong: readonly (readonly [string, (service: Service) => void])[] = [
  ['an endpoint that is a symbol', (service) => service.handle(Symbol('a') as never, hello)],
  ['options of an endpoint that are null', (service) => service.handle('A.B', hello, null as never)],
  ['options of a stream that are a number', (service) => service.handleStream('A.B', async () => {}, 5 as never)],
  ['options of a topic that are null', (service) => service.subscribe('a', () => {}, null as never)],
  ['metadata of an endpoint that is a number', (service) => service.handle('A.B', hello, { metadata: 5 as never })],
  ['a shape that is a number', (service) => service.handle('A.B', hello, { request: 5 as never })],
  [
    'a shape without values',
    (service) => service.handle('A.B', hello, { response: { name: 'a', type: 'b' } as never }),
  ],
  ['codecs that are a list', (service) => service.handle('A.B', hello, { codecs: [] as never })],
  ['a middleware that is a number', (service) => service.use(5 as never)],
  ['a middleware that is undefined', (service) => service.use(none)],
];

describe('a service', () => {
  it.each(wrong)('refuses %s with `invalid`, before it starts', (_, act) => {
    const { service } = makeGreeter(() => {});
    expect(() => act(service)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  it.each([
    ['broker', {}],
    ['broker', 5],
    ['registry', {}],
    ['registry', { register: () => {} }],
  ])('is not made with a %s that is %j', (name, plugin) => {
    expect(() => makeGreeter(() => {}, { [name]: plugin as never })).toThrow(
      expect.objectContaining({ code: 'invalid', message: expect.stringContaining(`service: option ${name} is`) }),
    );
  });

  it.each([5, {}, null])('refuses a start with the signal %j, and can be started then', async (signal) => {
    const { service } = makeGreeter(() => {});
    await expect(service.start({ signal: signal as never })).rejects.toMatchObject({ code: 'invalid' });
    await service.start();
    await service.stop();
  });

  it.each([5, {}, null])('stops with the signal %j as with none', async (signal) => {
    const { service } = await startGreeter((made) => made.handle('Greeter.Hello', hello));
    expect(await service.stop({ signal: signal as never })).toEqual({ abandoned: [] });
    expect(await service.stop(null as never)).toEqual({ abandoned: [] });
  });

  it('whose middleware leaves `next` alone ends no process', async () => {
    await using greeter = await startGreeter((service) => {
      service.use((_call, next) => void next());
      service.handleStream('Greeter.Stream', async (stream) => {
        await stream.receive();
        throw new RangeError('nobody waits for this');
      });
    });
    const socket = await greeter.dial();
    await socket.send(request('Greeter.Stream', {}, { 'Micro-Stream': '1' }));
    // Vitest fails the run for a rejection that nobody handles.
    expect(await untilTerminal(socket)).toHaveLength(1);
  });
});

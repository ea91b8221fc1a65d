import type { MicroError } from '@ts-micro/core';
import { describe, expect, it } from 'vitest';
import type { Refusal } from '../../src/server/serve/backlog.ts';
import { ConcurrencyLimiter, type LoopTurn } from '../../src/server/serve/concurrency-limiter.ts';
import { HandlerContext } from '../../src/server/serve/handler-context.ts';
import { deferred, errorOf, json, next, request, startGreeter, until } from './fixture.ts';

/** A request whose caller waits for `timeoutMs` from now on. */
function waiting(name: string, timeoutMs: number | undefined, log: string[], peer = 'somebody') {
  const context = new HandlerContext({
    kind: 'unary',
    service: 's',
    name,
    headers: {},
    contentType: '',
    timeout: timeoutMs === undefined ? undefined : String(timeoutMs * 1e6),
    local: '',
    remote: '',
  });
  return {
    context,
    peer,
    bodyBytes: 0,
    bytes: 1,
    run: () => void log.push(`run ${name}`),
    refuse: (why: Refusal) => void log.push(`${why} ${name}`),
  };
}

const past = 0.000_001;

/** A turn of the loop that never ends. */
const endlessTurn: LoopTurn = { isOver: () => false, next: () => Promise.resolve() };

describe('requests that wait for room', () => {
  it('go in the order of arrival while all of them are in time', () => {
    const log: string[] = [];
    const limiter = new ConcurrencyLimiter({ maxConcurrency: 1, maxBacklog: 3 }, endlessTurn);
    limiter.takeUnary(0);
    for (const name of ['a', 'b', 'c']) expect(limiter.wait(waiting(name, 60_000, log))).toBe(true);
    expect(limiter.wait(waiting('d', 60_000, log))).toBe(false);
    for (let count = 0; count < 3; count++) limiter.releaseUnary(0);
    expect(log).toEqual(['run a', 'run b', 'run c']);
  });

  it('go newest first once one has waited in vain, until nobody waits any more', () => {
    const log: string[] = [];
    const limiter = new ConcurrencyLimiter({ maxConcurrency: 1, maxBacklog: 9 }, endlessTurn);
    limiter.takeUnary(0);
    limiter.wait(waiting('late', past, log));
    for (const name of ['a', 'b', 'c']) limiter.wait(waiting(name, 60_000, log));
    for (let count = 0; count < 4; count++) limiter.releaseUnary(0);
    expect(log).toEqual(['too late late', 'run c', 'run b', 'run a']);
    log.length = 0;
    limiter.takeUnary(0);
    for (const name of ['d', 'e']) limiter.wait(waiting(name, 60_000, log));
    for (let count = 0; count < 2; count++) limiter.releaseUnary(0);
    expect(log).toEqual(['run d', 'run e']);
  });

  it('push out the oldest where too many wait under overload', () => {
    const log: string[] = [];
    const limiter = new ConcurrencyLimiter({ maxConcurrency: 1, maxBacklog: 2 }, endlessTurn);
    limiter.takeUnary(0);
    limiter.wait(waiting('late', past, log));
    limiter.wait(waiting('a', undefined, log));
    limiter.releaseUnary(0);
    for (const name of ['b', 'c', 'd']) expect(limiter.wait(waiting(name, undefined, log))).toBe(true);
    expect(log).toEqual(['too late late', 'run a', 'overloaded b']);
  });

  it('are refused under overload once half of their time is spent and others come', () => {
    const log: string[] = [];
    const limiter = new ConcurrencyLimiter({ maxConcurrency: 1, maxBacklog: 9 }, endlessTurn);
    limiter.takeUnary(0);
    const spent = { isAborted: false, spent: 0 };
    limiter.wait(waiting('late', past, log));
    limiter.wait({ ...waiting('old', undefined, log), context: spent });
    limiter.wait(waiting('a', undefined, log));
    spent.spent = 0.6;
    limiter.releaseUnary(0);
    expect(log).toEqual(['too late late', 'run a']);
    limiter.wait(waiting('b', undefined, log));
    expect(log).toEqual(['too late late', 'run a', 'overloaded old']);
    expect(limiter.waiting).toBe(1);
  });

  it('go newest first once a caller has left after half of its time', () => {
    const log: string[] = [];
    const limiter = new ConcurrencyLimiter({ maxConcurrency: 1, maxBacklog: 9 }, endlessTurn);
    limiter.takeUnary(0);
    limiter.wait({ ...waiting('gone', undefined, log), context: { isAborted: true, spent: 0.97 } });
    for (const name of ['a', 'b']) limiter.wait(waiting(name, undefined, log));
    for (let count = 0; count < 2; count++) limiter.releaseUnary(0);
    expect(log).toEqual(['too late gone', 'run b', 'run a']);
  });

  it('run in the order of arrival when the event loop has turned, however many there are', async () => {
    const log: string[] = [];
    let isOver = true;
    let turn = deferred();
    const limiter = new ConcurrencyLimiter(
      { maxConcurrency: 9, maxBacklog: 0 },
      { isOver: () => isOver, next: () => turn.promise },
    );
    expect(limiter.takeUnary(0)).toBe(false);
    const gone = waiting('gone', undefined, log);
    for (const request of [waiting('a', undefined, log), gone, waiting('b', undefined, log)])
      expect(limiter.wait(request)).toBe(true);
    isOver = false;
    expect(limiter.takeUnary(0)).toBe(false);
    const idle = limiter.whenIdle().then(() => log.push('idle'));
    isOver = true;
    turn.resolve();
    turn = deferred();
    await Promise.resolve();
    expect(log).toEqual([]);
    gone.context.abort(new DOMException('left', 'AbortError') as DOMException | MicroError);
    isOver = false;
    turn.resolve();
    await idle;
    expect(log).toEqual(['run a', 'too late gone', 'run b', 'idle']);
  });

  it('do not run for a caller that has left, which is no sign of overload', () => {
    const log: string[] = [];
    const limiter = new ConcurrencyLimiter({ maxConcurrency: 1, maxBacklog: 9 }, endlessTurn);
    limiter.takeUnary(0);
    const gone = waiting('gone', undefined, log);
    for (const request of [gone, waiting('a', undefined, log), waiting('b', undefined, log)]) limiter.wait(request);
    gone.context.abort(new DOMException('left', 'AbortError') as DOMException | MicroError);
    for (let count = 0; count < 2; count++) limiter.releaseUnary(0);
    expect(log).toEqual(['too late gone', 'run a', 'run b']);
  });

  it('of each peer have their turn, however many one peer sends', () => {
    const log: string[] = [];
    const limiter = new ConcurrencyLimiter({ maxConcurrency: 1, maxBacklog: 9 }, endlessTurn);
    limiter.takeUnary(0);
    for (const name of ['a', 'b', 'c']) limiter.wait(waiting(name, 60_000, log, 'flood'));
    limiter.wait(waiting('x', 60_000, log, 'quiet'));
    limiter.wait(waiting('y', 60_000, log, 'other'));
    for (let count = 0; count < 5; count++) limiter.releaseUnary(0);
    expect(log).toEqual(['run a', 'run x', 'run y', 'run b', 'run c']);
    expect(limiter.waiting).toBe(0);
  });

  it('give way to another peer, the newest first, where their own has most of them', () => {
    const log: string[] = [];
    const limiter = new ConcurrencyLimiter({ maxConcurrency: 1, maxBacklog: 4 }, endlessTurn);
    limiter.takeUnary(0);
    for (const name of ['a', 'b', 'c', 'd']) expect(limiter.wait(waiting(name, 60_000, log, 'flood'))).toBe(true);
    expect(limiter.wait(waiting('e', 60_000, log, 'flood'))).toBe(false);
    for (const name of ['x', 'y']) expect(limiter.wait(waiting(name, 60_000, log, 'quiet'))).toBe(true);
    expect(log).toEqual(['overloaded d', 'overloaded c']);
    expect(limiter.wait(waiting('z', 60_000, log, 'quiet'))).toBe(false);
    for (let count = 0; count < 4; count++) limiter.releaseUnary(0);
    expect(log.slice(2)).toEqual(['run a', 'run x', 'run b', 'run y']);
  });

  it('keep the turns of their peers under overload, the newest of each first', () => {
    const log: string[] = [];
    const limiter = new ConcurrencyLimiter({ maxConcurrency: 1, maxBacklog: 4 }, endlessTurn);
    limiter.takeUnary(0);
    limiter.wait(waiting('late', past, log, 'flood'));
    for (const name of ['a', 'b', 'c']) limiter.wait(waiting(name, 60_000, log, 'flood'));
    limiter.releaseUnary(0);
    for (const name of ['d', 'e']) limiter.wait(waiting(name, 60_000, log, 'flood'));
    limiter.wait(waiting('x', 60_000, log, 'quiet'));
    expect(log).toEqual(['too late late', 'run c', 'overloaded a']);
    for (let count = 0; count < 4; count++) limiter.releaseUnary(0);
    expect(log.slice(3)).toEqual(['run e', 'run x', 'run d', 'run b']);
  });

  it('for their turn alone are bounded as well, and the peer with most of them gives way', () => {
    const log: string[] = [];
    const turn = { isOver: () => true, next: () => new Promise<void>(() => {}) };
    const limiter = new ConcurrencyLimiter({ maxConcurrency: 9, maxBacklog: 0 }, turn);
    const context = { isAborted: false, spent: 0 };
    const size = { bodyBytes: 0, bytes: 1 };
    const request = { context, peer: 'flood', ...size, run: () => {}, refuse: (why: Refusal) => void log.push(why) };
    for (let count = 0; count < 65_536; count++) limiter.wait(request);
    expect(limiter.wait(request)).toBe(false);
    expect(limiter.wait({ ...request, peer: 'quiet' })).toBe(true);
    expect(log).toEqual(['overloaded']);
    expect(limiter.waiting).toBe(65_536);
  });

  it('are bounded in bytes, and the peer with most of them gives way, the newest first', () => {
    const log: string[] = [];
    const limiter = new ConcurrencyLimiter({ maxConcurrency: 1, maxBacklog: 9, maxBacklogBytes: 100 }, endlessTurn);
    limiter.takeUnary(0);
    const large = (name: string, peer: string, bytes: number) => ({ ...waiting(name, 60_000, log, peer), bytes });
    for (const name of ['a', 'b']) expect(limiter.wait(large(name, 'flood', 60))).toBe(true);
    expect(limiter.waitingBytes).toBe(120);
    expect(limiter.wait(large('c', 'flood', 1))).toBe(false);
    expect(limiter.wait(large('x', 'quiet', 30))).toBe(true);
    expect(log).toEqual(['overloaded b']);
    expect(limiter.waitingBytes).toBe(90);
    for (let count = 0; count < 2; count++) limiter.releaseUnary(0);
    expect(log.slice(1)).toEqual(['run a', 'run x']);
    expect(limiter.waitingBytes).toBe(0);
  });

  it('with large bodies wait while those that run hold too much, and keep no small ones waiting', () => {
    const log: string[] = [];
    const limiter = new ConcurrencyLimiter({ maxConcurrency: 4, maxBacklog: 9, maxConcurrentBytes: 100 }, endlessTurn);
    const large = (name: string, peer: string) => ({ ...waiting(name, 60_000, log, peer), bodyBytes: 60 });
    // The last one may go beyond.
    for (let count = 0; count < 2; count++) expect(limiter.takeUnary(60)).toBe(true);
    expect(limiter.takeUnary(60)).toBe(false);
    expect(limiter.takeUnary(25)).toBe(true);
    for (const name of ['a', 'b']) expect(limiter.wait(large(name, 'one'))).toBe(true);
    expect(limiter.wait(large('x', 'other'))).toBe(true);
    limiter.wait(waiting('small', 60_000, log, 'third'));
    limiter.releaseUnary(25);
    expect(log).toEqual(['run small']);
    expect(limiter.bodyBytes).toBe(120);
    limiter.releaseUnary(60);
    expect(log).toEqual(['run small', 'run a']);
    limiter.releaseUnary(0);
    for (let count = 0; count < 2; count++) limiter.releaseUnary(60);
    expect(log).toEqual(['run small', 'run a', 'run x', 'run b']);
    for (let count = 0; count < 2; count++) limiter.releaseUnary(60);
    expect(limiter.bodyBytes).toBe(0);
  });

  it('are answered in time by the most of them under twice what a node can do, and as before after it', () => {
    // Open-loop arrivals in virtual time, which is told by how long each caller has waited.
    const places = 16;
    const serviceMs = 20;
    const peak = places / serviceMs;
    const timeoutMs = 500;
    let now = 0;
    const limiter = new ConcurrencyLimiter({ maxConcurrency: places, maxBacklog: 1024 }, endlessTurn);
    const ends: { at: number; arrivedAt: number }[] = [];
    let inTime = 0;
    const arrive = () => {
      const arrivedAt = now;
      const begin = () => void ends.push({ at: now + serviceMs, arrivedAt });
      if (limiter.takeUnary(0)) return begin();
      const context = {
        isAborted: false,
        get spent() {
          return Math.min(1, (now - arrivedAt) / timeoutMs);
        },
      };
      limiter.wait({ context, peer: 'somebody', bodyBytes: 0, bytes: 1, run: begin, refuse: () => {} });
    };
    const offer = (rate: number, forMs: number) => {
      inTime = 0;
      let due = 0;
      for (const end = now + forMs; now < end; now++) {
        while (ends.length > 0 && (ends[0]?.at ?? 0) <= now) {
          if (now - (ends.shift()?.arrivedAt ?? 0) <= timeoutMs) inTime++;
          limiter.releaseUnary(0);
        }
        for (due += rate; due >= 1; due--) arrive();
      }
      return inTime / forMs;
    };
    expect(offer(peak / 2, 2000)).toBeGreaterThan(0.48 * peak);
    expect(offer(peak * 2, 30_000)).toBeGreaterThan(0.9 * peak);
    offer(peak / 2, 2000);
    expect(offer(peak / 2, 2000)).toBeGreaterThan(0.48 * peak);
  });
});

describe('a service with more callers than room', () => {
  it('refuses what would hold too many bytes, safe to ask elsewhere, and answers the others', async () => {
    const gate = deferred();
    let running = 0;
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Size', async (text: string) => {
          running++;
          await gate.promise;
          return text.length;
        });
      },
      { maxConcurrency: 4, maxConcurrentBytes: 200_000, maxBacklogBytes: 200_000 },
    );
    const body = 'x'.repeat(100_000);
    const ask = () => greeter.ask(request('Greeter.Size', body));
    const asked = [ask(), ask()];
    // On a loaded machine even these wait for their turn, and would count among those that wait for room.
    await until('two run', () => running === 2);
    for (let count = 0; count < 4; count++) asked.push(ask());
    const refused = await Promise.race(asked);
    expect(errorOf(refused)).toMatchObject({ id: 'ts-micro.server', code: 503 });
    expect(refused.headers['Micro-Error']).toContain('overloaded');
    gate.resolve();
    const answers = await Promise.all(asked);
    // Two run, two wait.
    expect(answers.filter((answer) => answer.headers['Micro-Error'] === undefined).map(json)).toEqual(
      Array.from({ length: 4 }, () => body.length),
    );
    expect(greeter.service.health().refused).toBe(2);
  });

  it('tells those whose time passed while they waited, and serves the others', async () => {
    const gate = deferred();
    const ran: string[] = [];
    await using greeter = await startGreeter(
      (service) => {
        service.handle('Greeter.Wait', async ({ name }: { name: string }) => {
          ran.push(name);
          await gate.promise;
          return { name };
        });
      },
      { maxConcurrency: 1 },
    );
    const socket = await greeter.dial();
    const send = (name: string, timeoutMs: number) =>
      socket.send(request('Greeter.Wait', { name }, { 'Micro-ID': name, Timeout: String(timeoutMs * 1e6) }));
    await send('first', 60_000);
    await until('it runs', () => ran.length === 1);
    await send('late', 1);
    for (const name of ['b', 'c']) await send(name, 60_000);
    await new Promise((resolve) => setTimeout(resolve, 5));
    gate.resolve();
    const answers = new Map<string | undefined, unknown>();
    for (let count = 0; count < 4; count++) {
      const answer = await next(socket);
      answers.set(answer.headers['Micro-ID'], errorOf(answer));
    }
    expect(answers.get('late')).toMatchObject({ id: 'ts-micro.server', code: 504 });
    expect(ran).toEqual(['first', 'c', 'b']);
  });
});

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RefusedSockets } from '../../src/server/lifecycle/refused-sockets.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('a socket is ended once nothing came for two seconds, and not before', () => {
  const sockets = new RefusedSockets();
  const one = { endRefused: vi.fn(() => true) };
  const other = { endRefused: vi.fn(() => true) };
  sockets.heard(one);
  sockets.heard(other);
  vi.advanceTimersByTime(1500);
  sockets.heard(one);
  vi.advanceTimersByTime(1000);
  expect([one.endRefused.mock.calls.length, other.endRefused.mock.calls.length]).toEqual([0, 1]);
  vi.advanceTimersByTime(1500);
  expect([one.endRefused.mock.calls.length, other.endRefused.mock.calls.length]).toEqual([1, 1]);
  expect(vi.getTimerCount()).toBe(0);
});

it('one whose refusal is still being sent is asked again, and one that has ended is not', () => {
  const sockets = new RefusedSockets();
  const slow = { endRefused: vi.fn(() => false) };
  const gone = { endRefused: vi.fn(() => true) };
  sockets.heard(slow);
  sockets.heard(gone);
  sockets.delete(gone);
  vi.advanceTimersByTime(5000);
  expect(slow.endRefused).toHaveBeenCalledTimes(2);
  expect(gone.endRefused).not.toHaveBeenCalled();
  sockets.delete(slow);
  expect(vi.getTimerCount()).toBe(0);
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { deadlineOf } from '../../../build/jobs/tile/deadline.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a deadline', () => {
  const late = () => new Error('late');

  it('is over when the time is, and says why', () => {
    const { signal } = deadlineOf(10, late);
    vi.advanceTimersByTime(9999);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(signal.reason).toEqual(late());
  });

  it('does not count time in which the work waits', () => {
    const { signal, pause, resume } = deadlineOf(10, late);
    vi.advanceTimersByTime(4000);
    pause();
    pause();
    vi.advanceTimersByTime(60_000);
    resume();
    resume();
    vi.advanceTimersByTime(5999);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(signal.aborted).toBe(true);
  });

  it('may be longer than a timer takes', () => {
    const { signal } = deadlineOf(1e9, late);
    vi.advanceTimersByTime(1e6);
    expect(signal.aborted).toBe(false);
  });

  it('of 0 s never comes, and none does after the end', () => {
    const [never, ended] = [deadlineOf(0, late), deadlineOf(1, late)];
    never.resume();
    ended.stop();
    vi.advanceTimersByTime(1e9);
    expect([never.signal.aborted, ended.signal.aborted]).toEqual([false, false]);
  });
});

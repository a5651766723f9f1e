import { expect, test } from 'vitest';
import { Locks } from './locks.ts';

/** Work that ends when it is told to, and tells that it began. */
function work() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const state = { began: false };
  const run = () => {
    state.began = true;
    return promise;
  };
  return { state, run, end: resolve };
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('those who want the same to themselves go one after another, in the order of asking', async () => {
  const locks = new Locks();
  const [a, b, c] = [work(), work(), work()];
  const held = [a, b, c].map(({ run }) => locks.hold({ exclusive: ['x'] }, run));
  await settle();
  expect([a, b, c].map(({ state }) => state.began)).toEqual([true, false, false]);
  a.end();
  await settle();
  expect([b, c].map(({ state }) => state.began)).toEqual([true, false]);
  b.end();
  c.end();
  await Promise.all(held);
});

test('those who only share, or want different resources, go side by side', async () => {
  const locks = new Locks();
  const [a, b, c] = [work(), work(), work()];
  void locks.hold({ exclusive: ['x'], shared: ['base'] }, a.run);
  void locks.hold({ exclusive: ['y'], shared: ['base'] }, b.run);
  void locks.hold({ exclusive: ['base'] }, c.run);
  await settle();
  expect([a, b, c].map(({ state }) => state.began)).toEqual([true, true, false]);
  a.end();
  b.end();
  await settle();
  expect(c.state.began).toBe(true);
  c.end();
});

test('nobody starves: who shares and came later waits for who came before and wants it alone', async () => {
  const locks = new Locks();
  const [first, alone, later] = [work(), work(), work()];
  void locks.hold({ exclusive: ['x'], shared: ['base'] }, first.run);
  void locks.hold({ exclusive: ['base'] }, alone.run);
  void locks.hold({ exclusive: ['z'], shared: ['base'] }, later.run);
  await settle();
  expect([alone, later].map(({ state }) => state.began)).toEqual([false, false]);
  first.end();
  await settle();
  expect([alone, later].map(({ state }) => state.began)).toEqual([true, false]);
  alone.end();
  await settle();
  expect(later.state.began).toBe(true);
  later.end();
});

test('a failure is passed on and lets go of the lock', async () => {
  const locks = new Locks();
  await expect(locks.hold({ exclusive: ['x'] }, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(locks.hold({ exclusive: ['x'] }, async () => 7)).resolves.toBe(7);
});

import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

test('one key runs in order, other keys do not wait, and a failure does not stop the next', async () => {
  const turns = new Turns();
  const seen: string[] = [];
  const first = gate();
  const a1 = turns.take('a', async () => {
    await first.opened;
    seen.push('a1');
    throw new Error('a1 failed');
  });
  const a2 = turns.take('a', async () => {
    seen.push('a2');
    return 2;
  });
  await turns.take('b', async () => {
    seen.push('b');
  });
  expect(seen).toEqual(['b']);
  first.open();
  await expect(a1).rejects.toThrow('a1 failed');
  expect(await a2).toBe(2);
  expect(seen).toEqual(['b', 'a1', 'a2']);
});

test('idle waits for everything that was given', async () => {
  const turns = new Turns();
  const held = gate();
  let ended = false;
  const failing = turns.take('a', () => held.opened.then(() => Promise.reject(new Error('no'))));
  const idle = turns.idle().then(() => {
    ended = true;
  });
  await Promise.resolve();
  expect(ended).toBe(false);
  held.open();
  await expect(failing).rejects.toThrow('no');
  await idle;
  expect(ended).toBe(true);
});

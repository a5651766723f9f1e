import { expect, test } from 'vitest';
import { realAmbient } from './ambient.ts';

test('what is due in months does not come at once', async () => {
  const { clock } = realAmbient();
  let rang = false;
  const stop = clock.after(2 ** 40, () => {
    rang = true;
  });
  await new Promise<void>((resolve) => clock.after(20, resolve));
  stop();
  expect(rang).toBe(false);
});

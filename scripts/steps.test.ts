import { describe, expect, test } from 'vitest';
import { StepFailed, Steps } from './steps.ts';

function recorder(isTTY = false) {
  let now = 0;
  let text = '';
  const out = {
    isTTY,
    write: (part: string) => {
      text += part;
    },
  };
  const steps = new Steps(out, () => {
    now += 1250;
    return now;
  });
  return { steps, text: () => text };
}

describe('steps', () => {
  test('say what was done, how long it took and what came of it', async () => {
    const { steps, text } = recorder();
    expect(await steps.run('Build', 'try again', async (step) => step.note('three files') ?? 7)).toBe(7);
    expect(text()).toMatch(/^✓ Build +1\.3 s {2}three files\n$/);
  });

  test('show progress as it comes', async () => {
    const { steps, text } = recorder();
    await steps.run('Build', 'try again', async (step) => {
      step.line('half way');
      expect(text()).toBe('    half way\n');
    });
  });

  test('on a terminal the title stands there while the step runs', async () => {
    const { steps, text } = recorder(true);
    await steps.run('Build', 'try again', async () => expect(text()).toBe('· Build …'));
    expect(text()).toContain('\r\x1b[2K✓ Build');
  });

  test('several at once end in lines of their own', async () => {
    const { steps, text } = recorder(true);
    const { promise: installed, resolve: install } = Promise.withResolvers<void>();
    const installing = steps.run('Install', 'try again', () => installed);
    await steps.run('Build', 'try again', async () => undefined);
    install();
    await installing;
    const lines = text()
      .replaceAll('\r\x1b[2K', '<clear>')
      .replaceAll(/ +\d.*/g, '');
    expect(lines).toBe('· Install …<clear>· Build …<clear>✓ Build\n✓ Install\n');
  });

  test('a step that fails says why and what to do, and ends in StepFailed', async () => {
    const { steps, text } = recorder();
    const failure = new Error('no disk\nno hope');
    const thrown = await steps
      .run('Build', 'buy a disk', () => Promise.reject(failure))
      .catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(StepFailed);
    expect(thrown).toHaveProperty('cause', failure);
    expect(text()).toMatch(/^✗ Build .*\n {4}no disk\n {4}no hope\n {4}What to do: buy a disk\n$/);
  });
});

import type { PlumbError } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { Loading } from './loading.ts';

function begun() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const said: string[] = [];
  const failed: PlumbError[] = [];
  const loading = new Loading(
    (signal) => {
      signal.addEventListener('abort', () => reject(new Error('given up')));
      return promise;
    },
    (error) => failed.push(error),
  );
  loading.whenLoaded((loaded) => said.push(loaded));
  return { loading, resolve, reject, said, failed, turn: () => new Promise((next) => setImmediate(next)) };
}

test('what is not loaded yet says so; what waits for it is told when it is', async () => {
  const { loading, resolve, said, turn } = begun();
  expect(() => loading.get()).toThrow(expect.objectContaining({ reason: 'Loading', retry: 'retry' }));
  expect(loading.missing).toContain('loads');
  resolve('all');
  await turn();
  expect([loading.get(), loading.missing, said]).toEqual(['all', undefined, ['all']]);
  loading.whenLoaded((loaded) => said.push(`${loaded} again`));
  await turn();
  expect(said).toEqual(['all', 'all again']);
});

test('what was loaded is stopped at the end', async () => {
  const { loading, resolve } = begun();
  resolve('all');
  const stopped: string[] = [];
  await loading.end(async (loaded) => void stopped.push(loaded));
  expect(stopped).toEqual(['all']);
});

test('what cannot be loaded is told, once, and nobody waits for it', async () => {
  const { loading, reject, said, failed, turn } = begun();
  reject(new Error('an entry is no object'));
  await turn();
  expect(failed).toHaveLength(1);
  expect(failed[0]).toMatchObject({ message: expect.stringContaining('an entry is no object') });
  await loading.end(async () => expect.unreachable());
  expect([said, failed.length]).toEqual([[], 1]);
});

test('what is given up is no failure, and there is nothing to stop', async () => {
  const { loading, said, failed } = begun();
  await loading.end(async () => expect.unreachable());
  expect([said, failed]).toEqual([[], []]);
});

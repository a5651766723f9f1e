import { expect, test } from 'vitest';
import type { PeerClient } from '../client.ts';
import { Running } from './running.ts';

/** An API server whose watches a test speaks for. */
class Watched {
  readonly watches: { path: string; say: (type: string, name: string, version: string) => void; end: () => void }[] =
    [];
  readonly client = {
    json: async () => ({ metadata: { resourceVersion: '7' } }),
    lines: async (path: string, _accept: string, onLine: (line: string) => void, onEnd: (why: Error) => void) => {
      const say = (type: string, name: string, resourceVersion: string) =>
        onLine(JSON.stringify({ type, object: { metadata: { name, resourceVersion }, message: name } }));
      this.watches.push({ path, say, end: () => onEnd(new Error('ended')) });
      return () => {};
    },
  } as unknown as PeerClient;
}

test('A watch that the server ends is taken up where it was, and nothing is counted twice', async () => {
  const server = new Watched();
  const running = await Running.open(server.client);
  const all = running.until(2, 5_000);
  expect(server.watches[0]!.path).toContain('resourceVersion=7');
  server.watches[0]!.say('ADDED', 'a', '9');
  server.watches[0]!.end();
  await Promise.resolve();
  expect(server.watches[1]!.path).toContain('resourceVersion=9');
  server.watches[1]!.say('MODIFIED', 'a', '10');
  expect(running.at.size).toBe(1);
  server.watches[1]!.say('ADDED', 'b', '11');
  await all;
  expect([...running.at.keys()]).toEqual(['a', 'b']);
});

test('A watch that cannot go on fails the burst', async () => {
  const server = new Watched();
  const running = await Running.open(server.client);
  const all = running.until(1, 5_000);
  server.watches[0]!.say('ERROR', 'too old resource version', '0');
  await expect(all).rejects.toThrow('too old resource version');
});

test('Who waits for pods that do not run is told how many do', async () => {
  const server = new Watched();
  const running = await Running.open(server.client);
  server.watches[0]!.say('ADDED', 'a', '8');
  await expect(running.until(2, 10)).rejects.toThrow('1 of 2 pods run');
});

import { realAmbient } from '@plumb/schemas';
import { afterEach, expect, test } from 'vitest';
import { follow } from './follow.ts';
import { type ClientSettings, clientOf, type Given, serve, type TestServer } from './testing/server.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const event = (type: string, name: string, revision: number) => ({
  type,
  object: { metadata: { name, resourceVersion: String(revision) } },
});
const complete = (revision: number) => ({
  type: 'BOOKMARK',
  object: {
    metadata: { resourceVersion: String(revision), annotations: { 'k8s.io/initial-events-end': 'true' } },
  },
});
const gone = { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } };

interface Followed {
  server: TestServer;
  /** `name@revision`, and `name gone`. */
  seen: string[];
  end: string;
}

/** What is seen of a server that gives these answers, until `last` is. */
async function followed(answers: Given[], last: string, settings: ClientSettings = {}, from?: string) {
  const server = await serve(answers);
  const client = clientOf([server], { ambient: { ...realAmbient(), random: { next: () => 0 } }, ...settings });
  ends.push(server.close, () => client.close());
  const seen: string[] = [];
  const see = (name: string, object: { metadata: { resourceVersion: string } } | undefined) => {
    seen.push(object ? `${name}@${object.metadata.resourceVersion}` : `${name} gone`);
    return seen.at(-1) === last ? last : undefined;
  };
  const names = () => ['a', 'b'];
  const end = await follow(client, { path: '/zones', query: 'x=y', from, names, see }, AbortSignal.timeout(20_000));
  return { server, seen, end } satisfies Followed;
}

const revisionsAsked = ({ seen }: TestServer) =>
  seen.map(({ path }) => {
    const { searchParams } = new URL(path, 'https://x');
    return searchParams.has('limit') ? 'newest' : (searchParams.get('resourceVersion') ?? 'all');
  });

test('what is there is shown, and what is not; then each change, of one watch', async () => {
  const { server, seen } = await followed(
    [
      {
        lines: [event('ADDED', 'a', 7), complete(9), event('MODIFIED', 'a', 10), event('DELETED', 'a', 11)],
        stays: true,
      },
    ],
    'a gone',
  );
  expect(seen).toEqual(['a@7', 'b gone', 'a@10', 'a gone']);
  expect(server.seen.map(({ path }) => path)).toEqual([
    '/zones?watch=true&allowWatchBookmarks=true&timeoutSeconds=240&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&x=y',
  ]);
});

test('one that breaks or ends goes on after what was seen whole, however it broke', async () => {
  const { server, seen } = await followed(
    [
      { lines: [event('ADDED', 'b', 7), event('ADDED', 'a', 3), complete(9)] },
      // Two objects may have been committed as 11, and only one have come.
      { lines: [event('MODIFIED', 'a', 10), event('MODIFIED', 'a', 11)] },
      { cut: true },
      { body: { metadata: { resourceVersion: '11' } } },
      { status: 503 },
      { lines: [event('MODIFIED', 'a', 11), event('MODIFIED', 'b', 11)], stays: true },
    ],
    'b@11',
  );
  expect(seen).toEqual(['b@7', 'a@3', 'a@10', 'a@11', 'a@11', 'b@11']);
  expect(revisionsAsked(server)).toEqual(['all', '9', '10', 'newest', '10', '10']);
});

test('one that broke before it had shown what is there begins again', async () => {
  const { server } = await followed(
    [{ lines: [event('ADDED', 'a', 7)] }, { lines: [event('ADDED', 'a', 7), complete(9)], stays: true }],
    'b gone',
  );
  expect(revisionsAsked(server)).toEqual(['all', 'all']);
});

test.each([
  ['in the answer', { status: 410, body: gone.object }],
  ['in an event', { lines: [gone] }],
])(
  'when the server has forgotten, said %s, everything is shown again, also what went meanwhile',
  async (_, forgotten) => {
    const { server, seen } = await followed(
      [
        { lines: [event('ADDED', 'a', 1), event('ADDED', 'b', 2), complete(5)] },
        forgotten,
        { lines: [event('ADDED', 'a', 8), complete(9)], stays: true },
      ],
      'b gone',
    );
    expect(seen).toEqual(['a@1', 'b@2', 'a@8', 'b gone']);
    expect(revisionsAsked(server)).toEqual(['all', '5', 'all']);
  },
);

test('when the server comes back with less than was seen, since its store was restored, everything is shown again', async () => {
  const { server, seen } = await followed(
    [
      { lines: [event('ADDED', 'a', 1), event('ADDED', 'b', 2), complete(50)] },
      { cut: true },
      { body: { metadata: { resourceVersion: '8' } } },
      { lines: [event('ADDED', 'a', 8), complete(9)], stays: true },
    ],
    'b gone',
  );
  expect(seen).toEqual(['a@1', 'b@2', 'a@8', 'b gone']);
  expect(revisionsAsked(server)).toEqual(['all', '50', 'newest', 'all']);
});

test('from a revision on, nothing is shown that was there before', async () => {
  const { server, seen } = await followed([{ lines: [event('MODIFIED', 'a', 6)], stays: true }], 'a@6', {}, '5');
  expect(seen).toEqual(['a@6']);
  expect(revisionsAsked(server)).toEqual(['5']);
});

test('one that has been quiet for too long is renewed: its connection may be dead', async () => {
  // Long enough that a busy machine has answered before.
  const bounds = { watchSeconds: 1, answerMs: 2_000 };
  const { server } = await followed(
    [
      { lines: [event('ADDED', 'a', 1), complete(5)], stays: true },
      { body: { metadata: { resourceVersion: '6' } } },
      { lines: [event('DELETED', 'a', 6)], stays: true },
    ],
    'a gone',
    { bounds },
  );
  expect(revisionsAsked(server)).toEqual(['all', 'newest', '5']);
});

test('what will not pass ends it, and so does whoever stops waiting', async () => {
  const refused = { status: 403, body: { kind: 'Status', code: 403, reason: 'Forbidden', message: 'no' } };
  await expect(followed([refused], '')).rejects.toMatchObject({ reason: 'Forbidden' });
  const server = await serve([{ lines: [complete(1)], stays: true }]);
  const client = clientOf([server]);
  ends.push(server.close, () => client.close());
  const stop = new AbortController();
  const see = () => void stop.abort(new Error('enough'));
  await expect(follow(client, { path: '/zones', names: () => ['a'], see }, stop.signal)).rejects.toThrow('enough');
});

import type { LiveResource } from '@plumb/schemas';
import type { AgentMessage } from '@plumb/schemas/wire/messages.ts';
import { FRAME_BYTES } from '@plumb/schemas/wire/outbox.ts';
import { liveDigest, resourceLine } from '@plumb/schemas/wire/resource-line.ts';
import { expect, test } from 'vitest';
import { snapshotMessages } from './snapshot.ts';

const seed = (id: string, bytes: number): LiveResource => ({
  kind: 'seed',
  id,
  owner: id,
  spec: { instanceId: id, hostname: id, sshKeys: [], userData: 'x'.repeat(bytes) },
  drift: [],
});

const parts = (messages: AgentMessage[]) =>
  messages.map((message) => message.body === 'snapshot' && [message.snapshot.resources.length, message.snapshot.more]);

test('an empty host has a snapshot, too', () => {
  expect(parts(snapshotMessages('h', []))).toEqual([[0, false]]);
});

test('what fits goes at once', () => {
  expect(parts(snapshotMessages('h', [seed('a', 10), seed('b', 10)]))).toEqual([[2, false]]);
});

test('more goes in parts, in order, each but the last announcing another; what is too large goes alone', () => {
  const resources = ['a', 'b', 'c', 'd'].map((id) => seed(id, FRAME_BYTES * 0.4));
  const messages = snapshotMessages('h', [...resources, seed('e', FRAME_BYTES * 2), seed('f', 1)]);
  expect(parts(messages)).toEqual([
    [2, true],
    [2, true],
    [1, true],
    [1, false],
  ]);
  const ids = messages.flatMap((m) => (m.body === 'snapshot' ? m.snapshot.resources.map((t) => t.resource?.id) : []));
  expect(ids.join('')).toBe('abcdef');
});

test('to whom knows it all it is only said that it is so', () => {
  const resources = [seed('a', 10), seed('b', 10)];
  const known = liveDigest(resources.map(resourceLine));
  const same = snapshotMessages('h', [...resources].reverse(), known);
  expect(same).toEqual([{ host: 'h', body: 'snapshot', snapshot: { resources: [], more: false, unchanged: true } }]);
  expect(parts(snapshotMessages('h', [resources[0]!], known))).toEqual([[1, false]]);
  expect(parts(snapshotMessages('h', [], known))).toEqual([[0, false]]);
});

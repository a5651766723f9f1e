import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { expect, test } from 'vitest';
import { PendingCommands } from './pending-commands.ts';

const step = (id: string, more = {}) => ({ step: id, ok: true, reason: '', message: '', terminal: false, ...more });

test('an answer resolves with what became of each step', async () => {
  const pending = new PendingCommands(defaultServerLimits);
  const sent = pending.wait('h', '1', ['a', 'b', 'c']);
  const failed = step('b', { ok: false, reason: 'ChecksumMismatch', message: 'it differs', terminal: true });
  pending.settle('h', { command: '1', steps: [step('a'), failed], refused: null });
  const [first, second] = await sent;
  expect(first).toEqual({ step: 'a' });
  expect(second?.error).toMatchObject({ reason: 'ChecksumMismatch', message: 'it differs', retry: 'terminal' });
  expect(pending.size).toBe(0);
});

test('a refusal rejects with the reason of the host', async () => {
  const pending = new PendingCommands(defaultServerLimits);
  const sent = pending.wait('h', '1', []);
  const refused = { reason: 'LowerTerm', message: 'h obeys term 9', terminal: false };
  pending.settle('h', { command: '1', steps: [], refused });
  await expect(sent).rejects.toMatchObject({
    reason: 'HostRefused',
    retry: 'retry',
    message: expect.stringMatching(/LowerTerm.*term 9/),
  });
});

test('answers of other hosts and to other commands are none', async () => {
  const pending = new PendingCommands(defaultServerLimits);
  const sent = pending.wait('h', '1', []);
  pending.settle('other', { command: '1', steps: [] });
  pending.settle('h', { command: '2', steps: [] });
  expect(pending.size).toBe(1);
  pending.settle('h', { command: '1', steps: [] });
  expect(await sent).toEqual([]);
});

test('only the commands of a lost host are lost', async () => {
  const pending = new PendingCommands(defaultServerLimits);
  const lost = [pending.wait('h', '1', []), pending.wait('h', '2', [])];
  const kept = pending.wait('other', '3', ['a']);
  pending.lose('h', 'the connection was lost');
  for (const sent of lost) await expect(sent).rejects.toMatchObject({ reason: 'HostDisconnected', retry: 'retry' });
  expect(pending.size).toBe(1);
  pending.settle('other', { command: '3', steps: [step('a')] });
  expect(await kept).toEqual([{ step: 'a' }]);
});

test.each([
  ['nothing', []],
  ['other steps', [step('x'), step('b')]],
  ['a part', [step('a')]],
])('an answer that says %s of what was sent is none', async (_, steps) => {
  const pending = new PendingCommands(defaultServerLimits);
  const sent = pending.wait('h', '1', ['a', 'b']);
  pending.settle('h', { command: '1', steps, refused: null });
  await expect(sent).rejects.toMatchObject({ reason: 'HostRefused', retry: 'retry' });
});

test('what a host says of a failure is cut, printable, and its reason a word', async () => {
  const pending = new PendingCommands(defaultServerLimits);
  const message = `\u001b]0;title\u0007\n${'x'.repeat(1_500_000)}`;
  const sent = pending.wait('h', '1', ['a']);
  pending.settle('h', {
    command: '1',
    steps: [step('a', { ok: false, reason: 'Two words\n', message })],
    refused: null,
  });
  const [{ error } = {}] = await sent;
  expect(error?.reason).toBe('HostFailed');
  expect(error?.message).toMatch(/^\\u001b\]0;title\\u0007\\nx+…$/);
  expect(error!.message.length).toBeLessThanOrEqual(defaultServerLimits.hostMessageCharacters + 1);
  const again = pending.wait('h', '2', ['a']);
  pending.settle('h', { command: '2', steps: [], refused: { reason: 'R'.repeat(1000), message, terminal: true } });
  const refusal = await again.catch((thrown) => thrown);
  expect(refusal).toMatchObject({ reason: 'HostRefused', retry: 'retry' });
  expect(refusal.message.length).toBeLessThan(defaultServerLimits.hostMessageCharacters + 100);
});

import { createHmac } from 'node:crypto';
import { realAmbient } from '@plumb/schemas';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ApiRequest, type Incoming } from '../api/request.ts';
import { startApiRig } from '../api/testing/rig.ts';
import { type GitRig, put, sourceSpec, startGitRig, zoneOf } from '../controllers/git-source/testing/git-rig.ts';
import { gitHook } from './git-hook.ts';

const BODY = '{"ref":"refs/heads/main"}';
const signature = (token: string, body = BODY) => createHmac('sha256', token).update(body).digest('hex');

let git: GitRig;
beforeEach(async () => {
  git = await startGitRig({ limits: { gitHookBytes: 1024, gitHooksAtOnce: 1 } });
  const data = { token: Buffer.from('sesame').toString('base64') };
  await put(git.store, 'secrets', 'default', 'hook', { apiVersion: 'v1', kind: 'Secret', data });
  git.push([zoneOf('a')]);
  await git.rig.create('GitSource', 'estate', sourceSpec({ webhookSecretName: 'hook' }));
  await git.rig.create('GitSource', 'deaf', sourceSpec());
  await git.rig.ready('GitSource', 'estate');
});
afterEach(() => git.stop());

async function post(
  headers: Record<string, string>,
  { url = '/hooks/git/default/estate', body = BODY, hook = gitHook(() => git.rig.context) } = {},
) {
  const incoming: Incoming = {
    ...{ method: 'POST', url, headers, destroy: () => {} },
    async *[Symbol.asyncIterator]() {
      yield Buffer.from(body);
    },
  };
  const { clock } = realAmbient();
  return hook(new ApiRequest(incoming, new AbortController().signal, { source: { address: '192.0.2.1' }, clock }));
}

test.each([
  ['GitHub', { 'x-hub-signature-256': `sha256=${signature('sesame')}` }],
  ['Gitea', { 'x-gitea-signature': signature('sesame') }],
  ['GitLab', { 'x-gitlab-token': 'sesame' }],
])('a webhook of %s has the repository looked at', async (_, headers) => {
  const pushed = git.push([zoneOf('a'), zoneOf('b')]);
  expect(await post(headers)).toMatchObject({ status: 202 });
  await expect.poll(() => git.status().revision).toBe(pushed);
});

test('what is not signed with the secret brings about nothing, and is told no more', async () => {
  const pushed = git.push([zoneOf('a'), zoneOf('b')]);
  const right = { 'x-hub-signature-256': `sha256=${signature('sesame')}` };
  const replies = [
    await post({}),
    await post({ 'x-hub-signature-256': `sha256=${signature('other')}` }),
    await post(right, { body: `${BODY} ` }),
    await post({ 'x-hub-signature-256': `sha256=${signature('')}` }, { url: '/hooks/git/default/deaf' }),
    await post({ 'x-gitlab-token': '' }, { url: '/hooks/git/default/deaf' }),
    await post(right, { url: '/hooks/git/default/nothing' }),
    await post(right, { url: '/hooks/git/elsewhere/estate' }),
  ];
  expect(new Set(replies.map((reply) => JSON.stringify(reply))).size).toBe(1);
  expect(replies[0]).toMatchObject({ status: 403 });
  expect(git.status().revision).not.toBe(pushed);
  expect(await post(right, { url: '/hooks/git/default/estate/more' })).toBeUndefined();
});

test('it is bounded in size and number', async () => {
  await expect(post({}, { body: 'x'.repeat(2000) })).rejects.toMatchObject({ reason: 'RequestEntityTooLarge' });
  const hook = gitHook(() => git.rig.context);
  const [first, second] = await Promise.allSettled([post({}, { hook }), post({}, { hook })]);
  expect(first).toMatchObject({ status: 'fulfilled' });
  expect(second).toMatchObject({ status: 'rejected', reason: { reason: 'TooManyRequests' } });
});

test('the API hears it without a token', async () => {
  const api = await startApiRig({ hook: gitHook(() => git.rig.context) });
  try {
    const reply = await api.ask('POST', '/hooks/git/default/estate', { token: '', body: {} });
    expect(reply.status).toBe(403);
    expect((await api.ask('POST', '/hooks/other', { token: '', body: {} })).status).toBe(401);
  } finally {
    await api.stop();
  }
});

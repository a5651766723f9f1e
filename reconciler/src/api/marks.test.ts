/** The mark of an object that is being made: who may set and change it. */
import { PENDING, type Pending, readPending } from '@plumb/schemas/meta/pending.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { grant } from './testing/policy.ts';
import { type ApiRig, manifests, startApiRig, V1 } from './testing/rig.ts';

const users = { 'token-ann': { name: 'ann', groups: [] }, 'token-bob': { name: 'bob', groups: [] } };
const MERGE = { 'content-type': 'application/merge-patch+json' };
const APPLY = { 'content-type': 'application/apply-patch+yaml', 'if-none-match': '*' };

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig({ users });
  for (const name of ['ann', 'bob'])
    await grant(api.store, { kind: 'User', name }, [{ verbs: ['*'], apiGroups: ['plumb.dev'], resources: ['zones'] }]);
});
afterAll(() => api.stop());

const text = (more: Partial<Pending> = {}) =>
  JSON.stringify({ request: 'r-1', phase: 'making', stack: 'shop', ...more });
const zone = (name: string, mark?: string) =>
  manifests.zone(name, mark === undefined ? {} : { annotations: { [PENDING]: mark } });
const make = (name: string, mark?: string) =>
  api.ask('POST', `${V1}/zones`, { token: 'token-ann', body: zone(name, mark) });
const edit = (name: string, mark: string | null, token = 'token-ann', more: object = {}) =>
  api.ask('PATCH', `${V1}/zones/${name}`, {
    ...{ token, headers: MERGE },
    body: { metadata: { ...more, annotations: { [PENDING]: mark } } },
  });
const markIn = ({ body }: { body: { metadata: { annotations?: Record<string, string> } } }) =>
  readPending(body.metadata.annotations?.[PENDING]);

describe('the mark of an object that is being made', () => {
  test('is set by a create, by whatever road, and the server says by whom', async () => {
    expect(markIn(await make('posted', text({ user: 'bob' })))).toMatchObject({ request: 'r-1', user: 'ann' });
    const path = `${V1}/zones/applied?fieldManager=terraform:shop`;
    const applied = await api.ask('PATCH', path, { token: 'token-ann', headers: APPLY, body: zone('applied', text()) });
    expect(applied.status).toBe(201);
    expect(markIn(applied)).toEqual({ request: 'r-1', phase: 'making', stack: 'shop', user: 'ann' });
  });

  test('is set by nothing else: who may edit an object cannot have it deleted by that', async () => {
    await make('plain');
    const refused = await edit('plain', text());
    expect(refused.status).toBe(422);
    expect(refused.body.message).toContain('is set when an object is made, and by nothing else');
    const current = (await api.ask('GET', `${V1}/zones/plain`)).body;
    const replaced = { ...current, metadata: { ...current.metadata, annotations: { [PENDING]: text() } } };
    expect((await api.ask('PUT', `${V1}/zones/plain`, { body: replaced })).status).toBe(422);
    // Taken away, it does not come back.
    await make('handed', text());
    expect((await edit('handed', null)).status).toBe(200);
    expect((await edit('handed', text({ beat: 1 }))).status).toBe(422);
  });

  test('is changed by who makes the object alone, and taken away by everyone who may edit it', async () => {
    await make('hers', text());
    expect(markIn(await edit('hers', text({ beat: 1, user: 'bob' })))).toMatchObject({ beat: 1, user: 'ann' });
    expect((await edit('hers', text({ beat: 2 }), 'token-bob')).status).toBe(403);
    expect((await edit('hers', 'x')).status).toBe(422);
    const other = { headers: MERGE, token: 'token-bob', body: { metadata: { labels: { a: 'b' } } } };
    expect((await api.ask('PATCH', `${V1}/zones/hers`, other)).status).toBe(200);
    expect((await edit('hers', null, 'token-bob')).status).toBe(200);
  });

  test.each([
    'x',
    '{}',
    text({ phase: 'left' }),
    text({ phase: 'odd' as never }),
    text({ request: 'x'.repeat(2_000) }),
  ])('must be one: %#', async (mark) => expect((await make('odd', mark)).status).toBe(422));
});

/** Nobody is left with what nobody knows of, whoever is killed in a create (libvirt #67, incus #174, azurerm #32230). */
import type { PlumbObject } from '@plumb/schemas';
import { PENDING, type Pending, pendingOf, withPending } from '@plumb/schemas/meta/pending.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Connection, Core } from './testing/core.ts';
import { FakeApi } from './testing/fake-api.ts';
import type { ObjectValue } from './value/value.ts';

const HOME = '/apis/plumb.dev/v1/zones/home';
/** Timers of the provider run so many times faster. */
const HURRY = 20;

let api: FakeApi;
let core: Core;

beforeEach(async () => {
  api = await FakeApi.start();
  core = await Core.start({ HOME: '/nowhere' }, HURRY);
});

afterEach(async () => {
  core.close();
  await api.close();
});

const as = (stack?: string): Promise<Connection> =>
  core.configured({ endpoint: api.endpoint, ...(stack ? { stack } : {}) });
const zone: ObjectValue = { name: 'home', description: 'A note.', labels: { rack: 'a' } };
const mark = () => api.object(HOME) && pendingOf(api.object(HOME)!);
const uid = () => api.object(HOME)?.metadata.uid;
const notReady = (object: PlumbObject) => api.condition(object, 'False', 'Booting', 'It boots.');
const remark = (next: Pending | undefined) => api.put(HOME, withPending(api.object(HOME)!, next));

describe('no orphan when Terraform or the shim is killed (libvirt #67 #1003, azurerm #32230)', () => {
  test('while an object is made: it is taken back, and the next apply makes it', async () => {
    api.react = notReady;
    const terraform = await as();
    const lost = terraform.apply('plumb_zone', zone, null).catch(() => undefined);
    await until(() => api.watching === 1);
    core.vanish();
    await until(() => api.object(HOME) === undefined);
    await lost;
    api.react = (object) => api.condition(object, 'True', 'Ready', 'Fine.');
    expect((await (await as()).apply('plumb_zone', zone, null)).errors).toEqual([]);
  });

  test('while the request is on its way: what it makes is taken back', async () => {
    const gate = Promise.withResolvers<undefined>();
    api.fault = ({ onlyNew }) => (onlyNew ? gate.promise : undefined);
    const terraform = await as();
    void terraform.apply('plumb_zone', zone, null).catch(() => undefined);
    await until(() => api.seen.some(({ onlyNew }) => onlyNew));
    core.vanish();
    gate.resolve(undefined);
    await until(() => api.seen.some(({ method }) => method === 'DELETE'));
    await until(() => api.object(HOME) === undefined);
  });

  test('while the object is handed over: it is taken back', async () => {
    const gate = Promise.withResolvers<undefined>();
    const isHandOver = (body: unknown) => JSON.stringify(body ?? {}).includes('told');
    api.fault = ({ body }) => (isHandOver(body) ? gate.promise : undefined);
    const terraform = await as('shop');
    void terraform.apply('plumb_zone', zone, null).catch(() => undefined);
    await until(() => api.seen.some(({ body }) => isHandOver(body)));
    core.vanish();
    gate.resolve(undefined);
    await until(() => api.object(HOME) === undefined);
  });

  test('the instant after: the stack that has a name finds it again, if it is as declared', async () => {
    const terraform = await as('shop');
    const { state } = await terraform.apply('plumb_zone', zone, null);
    expect(mark()).toMatchObject({ phase: 'told', stack: 'shop' });
    core.vanish();
    await until(() => mark()?.phase === 'left');
    // Another stack, another declaration, and a folder without a name do not.
    for (const [stack, config] of [
      ['blog', zone],
      ['shop', { ...zone, description: 'Another.' }],
      ['shop', { ...zone, labels: null }],
      [undefined, zone],
    ] as const) {
      const { errors } = await (await as(stack)).apply('plumb_zone', config, null);
      expect(errors).toEqual([expect.stringMatching(/^Zone home already exists \| .*import \{/s)]);
    }
    const again = await (await as('shop')).apply('plumb_zone', zone, null);
    expect(again.errors).toEqual([]);
    expect(again.state).toEqual(state);
    expect(mark()?.phase).toBe('told');
  });

  test('after the state was written: the next plan takes the mark away, and nothing is done to the object', async () => {
    const terraform = await as('shop');
    const { state } = await terraform.apply('plumb_zone', zone, null);
    core.vanish();
    await until(() => mark()?.phase === 'left');
    const { state: read } = await (await as('shop')).read('plumb_zone', state!);
    expect(read).toEqual(state);
    await until(() => mark() === undefined);
    expect(uid()).toBe('uid-1');
  });
});

describe('the mark', () => {
  test('goes before the answer where the stack has no name', async () => {
    const { state } = await (await as()).apply('plumb_zone', zone, null);
    expect(state).toMatchObject({ annotations: null });
    expect(api.object(HOME)?.metadata.annotations?.[PENDING]).toBeUndefined();
  });

  test.each(['the run ends', 'it goes on for long'])('goes when %s', async (how) => {
    const terraform = await as('shop');
    await terraform.apply('plumb_zone', zone, null);
    expect(mark()?.phase).toBe('told');
    if (how === 'the run ends') await terraform.shutdown();
    await until(() => mark() === undefined);
    expect(uid()).toBe('uid-1');
  });

  test('is renewed while the object is made, and goes also when the server is away as it is handed over', async () => {
    api.react = notReady;
    const terraform = await as();
    const applied = terraform.apply('plumb_zone', zone, null);
    await until(() => (mark()?.beat ?? 0) >= 2);
    api.react = () => {};
    api.fault = ({ body }) => (JSON.stringify(body ?? {}).includes(`"${PENDING}":null`) ? { code: 503 } : undefined);
    api.condition(api.object(HOME)!, 'True', 'Ready', 'Fine.');
    expect((await applied).errors).toEqual([]);
    expect(mark()).toBeDefined();
    api.fault = () => undefined;
    await until(() => mark() === undefined);
  });

  test('that nobody takes away any more stays what it is: a repeated request makes none', async () => {
    api.react = notReady;
    const terraform = await as();
    const applied = terraform.apply('plumb_zone', zone, null);
    await until(() => mark() !== undefined);
    // Somebody else has taken the mark away, as who edits the object may.
    remark(undefined);
    api.condition(api.object(HOME)!, 'True', 'Ready', 'Fine.');
    expect((await applied).errors).toEqual([]);
    expect(mark()?.request).toBeUndefined();
  });
});

describe('a name that somebody is about to have', () => {
  const making = async (more: Partial<Pending> = {}) => {
    await (await as()).apply('plumb_zone', zone, null);
    remark({ request: 'theirs', phase: 'making', ...more });
  };

  test('is waited for: it is taken back', async () => {
    await making();
    const applied = (await as()).apply('plumb_zone', zone, null);
    await until(() => api.watching === 1);
    api.remove(HOME);
    expect((await applied).errors).toEqual([]);
    expect(uid()).toBe('uid-2');
  });

  test('is waited for: it is handed over', async () => {
    await making();
    const applied = (await as()).apply('plumb_zone', zone, null);
    await until(() => api.watching === 1);
    remark(undefined);
    expect((await applied).errors).toEqual([expect.stringContaining('Zone home already exists')]);
    expect(uid()).toBe('uid-1');
  });

  test('by another run for longer than is waited: it says so', async () => {
    await making();
    const limited = { ...zone, timeouts: { create: '5s', update: null, delete: null } };
    const { errors } = await (await as()).apply('plumb_zone', limited, null);
    expect(errors).toEqual([expect.stringContaining('Another run is making Zone home')]);
    expect(uid()).toBe('uid-1');
  });

  test('two blocks of one configuration: one has it, the other is told at once', async () => {
    const terraform = await as('shop');
    const both = await Promise.all([1, 2].map(() => terraform.apply('plumb_zone', zone, null)));
    const errors = both.flatMap((one) => one.errors);
    expect(errors).toEqual([expect.stringContaining('another resource block of this configuration')]);
    expect(both.filter(({ state }) => state !== null)).toHaveLength(1);
    expect(mark()?.phase).toBe('told');
  });

  test('two runs of one stack: what the other has is not taken while it runs', async () => {
    const first = await as('shop');
    const { state } = await first.apply('plumb_zone', zone, null);
    const applied = (await as('shop')).apply('plumb_zone', zone, null);
    await until(() => api.watching === 1);
    await first.shutdown();
    expect((await applied).errors).toEqual([expect.stringContaining('already exists')]);
    expect(state).toMatchObject({ status: { uid: uid()! } });
  });
});

/** Resolves when it holds; what is waited for is on its way over a local socket. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

import type { Extension } from '@plumb/reconciler/api/extension.ts';
import { startApiRig } from '@plumb/reconciler/api/testing/rig.ts';
import { keys } from '@plumb/reconciler/store/keys.ts';
import { expect, onTestFinished, test } from 'vitest';
import { runPlumb } from '../testing/run.ts';
import { FLOWS, type FlowView, only, timeline } from './flows.ts';

const flow: FlowView = {
  metadata: { name: 'u' },
  object: { kind: 'Instance', namespace: 'default', name: 'web-0' },
  purpose: 'create',
  direction: 'forward',
  startedAt: '2026-01-01T00:00:00.000Z',
  steps: [
    { id: 'make disk/u.root', host: 'host-1', disruption: 'none', why: 'disk is not there' },
    { id: 'change domain/u', host: 'host-1', disruption: 'restart', why: 'domain differs from its declaration' },
  ],
  notes: [
    { at: '2026-01-01T00:00:01.000Z', step: 'make disk/u.root', host: 'host-1', error: 'NoSpace: the disk is full' },
  ],
};

test('a flow reads as what was done, what failed, and what is still to do', () => {
  expect(timeline(flow)).toBe(
    [
      'Instance default/web-0: create, doing, since 2026-01-01T00:00:00.000Z',
      '  2026-01-01T00:00:01.000Z  failed  make disk/u.root on host-1: NoSpace: the disk is full',
      '                            to do   change domain/u on host-1, because domain differs from its declaration (restart)',
      '',
    ].join('\n'),
  );
});

test('a stuck flow says by what', () => {
  const stuck = { ...flow, stuck: { reason: 'IoError', message: 'the disk cannot be unlinked' } };
  expect(timeline(stuck)).toContain('create, stuck, since');
  expect(timeline(stuck)).toContain('  IoError: the disk cannot be unlinked\n');
});

test('a flow is named by its object, or by its uid', () => {
  const other = { ...flow, metadata: { name: 'v' }, object: { ...flow.object, namespace: 'lab' } };
  const db = { ...flow, metadata: { name: 'w' }, object: { ...flow.object, name: 'db-0' } };
  const flows = [flow, other, db];
  expect(only(flows, 'instance/db-0')).toBe(db);
  expect(only(flows, 'instances/lab/web-0')).toBe(other);
  expect(only(flows, 'v')).toBe(other);
  expect(() => only(flows, 'instance/web-0')).toThrow('2 flows are of instance/web-0');
  expect(() => only(flows, 'host/web-0')).toThrow('no flow is of host/web-0');
  expect(() => only(flows, 'nosuch/web-0')).toThrow('there is no kind');
  expect(() => only(flows, undefined)).toThrow('plumb flows lists them');
});

test('what is in no list can be ended: a flow whose record is unreadable, a deletion that waits for hosts', async () => {
  const uid = '01a22e1b-567d-702c-8dde-5b2a684edd75';
  const ended: string[] = [];
  const extensions: Extension[] = [
    { method: 'GET', path: FLOWS, handle: async () => ({ body: { items: [flow] } }) },
    {
      method: 'POST',
      path: `${FLOWS}/{uid}/abandon`,
      async handle({ params }) {
        ended.push(params.uid!);
        return { body: {} };
      },
    },
  ];
  const api = await startApiRig({ extensions });
  onTestFinished(() => api.stop());
  const lost = { type: 'put', key: keys.object('zones', undefined, 'lost'), value: '{' } as const;
  await api.store.commit({ preconditions: [], ops: [lost] });
  const plumb = (which: string) => runPlumb(api, ['flows', 'abandon', which]);
  const zone = { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name: 'home' }, spec: {} };
  const { body } = await api.ask('POST', '/apis/plumb.dev/v1/zones', { body: zone });

  expect(await plumb(uid)).toMatchObject({ code: 0, out: `${uid} was abandoned\n` });
  expect(await plumb('zone/home')).toMatchObject({ code: 0, out: 'zone/home was abandoned\n' });
  expect(await plumb('instance/web-0')).toMatchObject({ code: 0, out: 'Instance default/web-0 was abandoned\n' });
  expect(ended).toEqual([uid, body.metadata.uid, 'u']);
  expect(await plumb('zone/none')).toMatchObject({ code: 1, err: expect.stringContaining('not found') });
  expect(await plumb('zone/lost')).toMatchObject({
    code: 1,
    err: expect.stringContaining('the uid of zone/lost was lost'),
  });
  expect(await plumb('567d')).toMatchObject({ code: 1, err: expect.stringContaining('no flow is of 567d') });
});

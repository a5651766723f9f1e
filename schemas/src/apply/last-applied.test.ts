/** The way from what clients noted in annotations to what they own. */
import { expect, test } from 'vitest';
import { zone } from '../kinds/zone.ts';
import type { ManagedFieldsEntry } from './managed-fields.ts';
import { type Place, trackApply } from './track.ts';
import { objectType } from './type.ts';

type Fields = Record<string, unknown>;

const place: Place = { type: objectType(zone as never), apiVersion: 'plumb.dev/v1', kind: 'Zone' };

function object(description: string | undefined, metadata: Fields = {}): Fields & { metadata: Fields } {
  return {
    apiVersion: 'plumb.dev/v1',
    kind: 'Zone',
    metadata: { name: 'home', ...metadata },
    spec: description === undefined ? {} : { description },
  };
}

function applied(live: Fields, manager: string, declared: Fields) {
  const tracked = trackApply(place, live, declared, { manager, now: '2026-01-01T00:00:00Z' }, false);
  if ('conflicts' in tracked) throw new Error(JSON.stringify(tracked.conflicts));
  return tracked;
}

const owners = (entries: ManagedFieldsEntry[] | undefined) =>
  entries?.map(({ manager, operation, fieldsV1 }) => [manager, operation, JSON.stringify(fieldsV1)]);

const note = (labels: string[]) => ({ 'plumb.dev/applied': JSON.stringify({ labels, annotations: [] }) });

test('what plumb apply noted of an object that nobody kept account of is what plumb declared; the rest is as before', () => {
  const live = object('a', {
    uid: 'u',
    labels: { mine: 'x', gone: 'x', others: 'x' },
    annotations: { ...note(['mine', 'gone']), kept: 'x' },
  });
  const { object: after, entries } = applied(live, 'plumb', object('b', { labels: { mine: 'x' } }));
  expect(after).toMatchObject({
    metadata: { labels: { mine: 'x', others: 'x' }, annotations: { kept: 'x' } },
    spec: { description: 'b' },
  });
  expect(owners(entries)).toEqual([
    ['plumb', 'Apply', '{"f:metadata":{"f:labels":{"f:mine":{}}},"f:spec":{"f:description":{}}}'],
    ['before-first-apply', 'Update', '{"f:metadata":{"f:annotations":{"f:kept":{}},"f:labels":{"f:others":{}}}}'],
  ]);
});

test('who applies first beside it is told what plumb owns', () => {
  const live = object('a', { uid: 'u', labels: { mine: 'x' }, annotations: note(['mine']) });
  const tracked = trackApply(place, live, object('b'), { manager: 'kubectl', now: '2026-01-01T00:00:00Z' }, false);
  expect(tracked).toMatchObject({ conflicts: [{ path: ['f:spec', 'f:description'] }] });
  expect(JSON.stringify(tracked)).toContain('\\"manager\\":\\"plumb\\",\\"operation\\":\\"Apply\\"');
});

test('entries of writes by plumb become its declaration', () => {
  const written: ManagedFieldsEntry = {
    manager: 'plumb',
    operation: 'Update',
    apiVersion: 'plumb.dev/v1',
    time: '2025-01-01T00:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: {
      'f:metadata': {
        'f:annotations': { '.': {}, 'f:plumb.dev/applied': {} },
        'f:labels': { '.': {}, 'f:gone': {} },
      },
      'f:spec': { '.': {}, 'f:description': {} },
    },
  };
  const live = object('a', {
    ...{ uid: 'u', labels: { gone: 'x' }, annotations: note(['gone']), managedFields: [written] },
  });
  const { object: after, entries } = applied(live, 'plumb', object('b'));
  const { managedFields: _, ...metadata } = after!.metadata as Fields;
  expect(metadata).toEqual({ name: 'home', uid: 'u' });
  expect(owners(entries)).toEqual([['plumb', 'Apply', '{"f:spec":{"f:description":{}}}']]);
});

test("kubectl's last declaration is what kubectl owns, as far as it still holds", () => {
  const last = object('a', { labels: { kept: 'x', gone: 'x', changed: 'x' } });
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(last) };
  const live = object('a', { uid: 'u', labels: { kept: 'x', gone: 'x', changed: 'by another' }, annotations });
  const { object: after, entries } = applied(live, 'kubectl', object('b', { labels: { kept: 'x' } }));
  expect(after).toMatchObject({
    metadata: { labels: { kept: 'x', changed: 'by another' } },
    spec: { description: 'b' },
  });
  expect(owners(entries)?.[0]).toEqual([
    'kubectl',
    'Apply',
    '{"f:metadata":{"f:labels":{"f:kept":{}}},"f:spec":{"f:description":{}}}',
  ]);
  // The note goes on with what is applied, so that an older kubectl finds it.
  const { annotations: now } = after!.metadata as { annotations: Record<string, string> };
  expect(now['kubectl.kubernetes.io/last-applied-configuration']).toBe(
    '{"apiVersion":"plumb.dev/v1","kind":"Zone","metadata":{"labels":{"kept":"x"},"name":"home"},"spec":{"description":"b"}}\n',
  );
});

test('a conflict of kubectl with who wrote what its note says is none', () => {
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(object('a')) };
  const managedFields: ManagedFieldsEntry[] = [
    {
      manager: 'kubectl-client-side-apply',
      operation: 'Update',
      apiVersion: 'plumb.dev/v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:spec': { 'f:description': {} } },
    },
  ];
  const live = object('a', { uid: 'u', annotations, managedFields });
  expect(applied(live, 'kubectl', object('b')).object).toMatchObject({ spec: { description: 'b' } });
  const changed = { ...live, spec: { description: 'by another' } };
  expect(trackApply(place, changed, object('b'), { manager: 'kubectl', now: '' }, false)).toHaveProperty('conflicts');
});

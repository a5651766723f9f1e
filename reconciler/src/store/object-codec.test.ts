import type { PlumbObject } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { decodeObject, encodeObject, objectText, removalOps } from './object-codec.ts';

const object: PlumbObject = {
  // Written out of order on purpose: the text must begin with apiVersion, kind and metadata all the same.
  spec: { note: '"metadata":{' },
  metadata: {
    name: 'home',
    uid: 'u-1',
    resourceVersion: '99',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
  kind: 'Zone',
  apiVersion: 'plumb.dev/v1',
};

test('the revision is not in the text and is the resourceVersion of what is read', () => {
  const value = encodeObject(object);
  expect(value).not.toContain('resourceVersion');
  const { resourceVersion } = decodeObject({ value, revision: 7 }).metadata;
  expect(resourceVersion).toBe('7');
});

test('the text with its revision is the decoded object, without parsing', () => {
  const value = encodeObject(object);
  expect(JSON.parse(objectText({ value, revision: 7 }))).toEqual(decodeObject({ value, revision: 7 }));
  expect(() => objectText({ value: '{}', revision: 3 })).toThrow(/not an object/);
});

test('removal deletes the object and keeps a record of its uid', () => {
  expect(removalOps('/objects/zones//home', object, 0)).toEqual([
    { type: 'delete', key: '/objects/zones//home' },
    {
      type: 'put',
      key: '/deleted/u-1',
      value: '{"kind":"Zone","name":"home","uid":"u-1","deletedAt":"1970-01-01T00:00:00.000Z"}',
    },
  ]);
});

/** Bodies as client-go 0.36 writes them for built-in kinds. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ApiRig, manifests, startApiRig, V1 } from '../testing/rig.ts';

const SPACES = '/api/v1/namespaces';
const PROTOBUF = 'application/vnd.kubernetes.protobuf';

const bodies = {
  /** With labels, annotations, the finalizer example.com/keep, an owner reference, spec and status. */
  whole:
    'azhzAAoPCgJ2MRIJTmFtZXNwYWNlEnoKYAoFdHlwZWQSABoAIgAqADIAOABCCAiA4s+qBhAAWgYKAWESAWJiBgoBbhIBb2ofCglOYW1lc3BhY2UaB2RlZmF1bHQiA3UtMSoCdjEwAXIQZXhhbXBsZS5jb20va2VlcBIMCgprdWJlcm5ldGVzGggKBkFjdGl2ZRoAIgA=',
  /** The same name, read at resourceVersion 1. */
  stale: 'azhzAAoPCgJ2MRIJTmFtZXNwYWNlEjAKKAoFdHlwZWQSABoAIgAqADIBMTgAQgByEGV4YW1wbGUuY29tL2tlZXASABoCCgAaACIA',
  /** The same name, with the uid `another`. */
  another:
    'azhzAAoPCgJ2MRIJTmFtZXNwYWNlEjYKLgoFdHlwZWQSABoAIgAqB2Fub3RoZXIyADgAQgByEGV4YW1wbGUuY29tL2tlZXASABoCCgAaACIA',
  /** propagationPolicy Background, gracePeriodSeconds 0, empty preconditions. */
  background: 'azhzAAoTCgJ2MRINRGVsZXRlT3B0aW9ucxIQCAASACIKQmFja2dyb3VuZBoAIgA=',
  dryRun: 'azhzAAoTCgJ2MRINRGVsZXRlT3B0aW9ucxIFKgNBbGwaACIA',
  /** dryRun `all`. */
  misspelt: 'azhzAAoTCgJ2MRINRGVsZXRlT3B0aW9ucxIFKgNhbGwaACIA',
};

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig();
});
afterAll(() => api.stop());

const send = (method: string, path: string, body: keyof typeof bodies | Buffer) =>
  api.ask(method, path, {
    body: typeof body === 'string' ? Buffer.from(bodies[body], 'base64') : body,
    headers: { 'content-type': PROTOBUF },
  });

describe('a namespace of a typed client', () => {
  test('is created with all that it says', async () => {
    const { status, body } = await send('POST', SPACES, 'whole');
    expect(status).toBe(201);
    expect(body.metadata).toMatchObject({
      name: 'typed',
      labels: { a: 'b' },
      annotations: { n: 'o' },
      finalizers: ['example.com/keep'],
      ownerReferences: [{ apiVersion: 'v1', kind: 'Namespace', name: 'default', uid: 'u-1', controller: true }],
    });
    expect(body.spec).toEqual({ finalizers: ['kubernetes'] });
  });

  test('is not overwritten by one that was read before, or that was another', async () => {
    const before = await api.ask('GET', `${SPACES}/typed`);
    for (const body of ['stale', 'another'] as const)
      expect((await send('PUT', `${SPACES}/typed`, body)).status).toBe(409);
    expect((await api.ask('GET', `${SPACES}/typed`)).text).toBe(before.text);
  });

  test('is kept by a dry run, and by one that is misspelt', async () => {
    expect((await send('DELETE', `${SPACES}/typed`, 'dryRun')).status).toBe(200);
    expect((await send('DELETE', `${SPACES}/typed`, 'misspelt')).status).toBe(422);
    expect((await api.ask('GET', `${SPACES}/typed`)).body.metadata.deletionTimestamp).toBeUndefined();
  });

  test('goes when its finalizer is gone, and takes nothing new meanwhile', async () => {
    const marked = await send('DELETE', `${SPACES}/typed`, 'background');
    expect([marked.status, marked.body.kind, marked.body.status]).toEqual([200, 'Namespace', { phase: 'Terminating' }]);
    const again = await send('DELETE', `${SPACES}/typed`, 'background');
    expect([again.status, again.body.metadata.deletionTimestamp]).toEqual([
      200,
      marked.body.metadata.deletionTimestamp,
    ]);
    const inside = await api.ask('POST', `${V1}/namespaces/typed/instances`, { body: manifests.instance('a') });
    expect(inside.status).toBe(403);
    const released = await api.ask('PATCH', `${SPACES}/typed`, {
      body: { metadata: { finalizers: null } },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    expect(released.status).toBe(200);
    await vi.waitFor(async () => expect((await api.ask('GET', `${SPACES}/typed`)).status).toBe(404));
  });

  test('without finalizers goes by itself', async () => {
    await api.ask('POST', SPACES, { body: { metadata: { name: 'free' } } });
    expect((await send('DELETE', `${SPACES}/free`, 'background')).body.status).toEqual({ phase: 'Terminating' });
    await vi.waitFor(async () => expect((await api.ask('GET', `${SPACES}/free`)).status).toBe(404));
  });
});

test('what is broken is refused', async () => {
  const whole = Buffer.from(bodies.whole, 'base64');
  expect((await send('POST', SPACES, whole.subarray(4))).status).toBe(400);
  expect((await send('POST', SPACES, whole.subarray(0, 60))).status).toBe(400);
  expect((await send('POST', `${V1}/zones`, whole)).status).toBe(400);
  const pod = Buffer.from(whole.toString('latin1').replace('Namespace', 'Nomespace'), 'latin1');
  expect((await send('POST', SPACES, pod)).status).toBe(415);
});

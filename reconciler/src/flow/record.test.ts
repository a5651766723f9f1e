import type { PlumbError } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { PLAN_VERSION } from '../plan/plan.ts';
import { decodeFlow, encodeFlow } from './record.ts';

const UID = '3f2c8a52-5d0e-7000-8000-000000000001';
const seed = { kind: 'seed', id: `${UID}.seed`, owner: UID, spec: { instanceId: 'i', hostname: 'web-0', sshKeys: [] } };
const step = {
  ...{
    id: 'make the seed',
    host: 'host-1',
    verb: 'ensure',
    undo: 'undoable',
    disruption: 'none',
    why: 'it is not there',
  },
  previous: seed,
};
const flow = (version: number, steps: unknown, carried: unknown = steps) => ({
  ...{ key: '/objects/instances/web/web-0', uid: UID, purpose: 'create', generation: 1, direction: 'forward' },
  ...{ plan: { version, steps }, carried, held: [], inputs: 'x', startedAt: 0 },
});
const read = (record: unknown) => decodeFlow(UID, JSON.stringify(record));

test('a flow that the version before wrote is read, and written as today', () => {
  const now = flow(PLAN_VERSION, [{ ...step, resource: seed }]);
  const before = read(flow(1, [{ ...step, thing: seed }]));
  expect(before).toEqual(read(now));
  expect(JSON.parse(encodeFlow(before))).toEqual(now);
});

test.each([
  ['newer', flow(PLAN_VERSION + 1, []), 'FlowVersion'],
  ['without what its steps are for', flow(1, [step]), 'FlowUnreadable'],
  ['with steps that are none', flow(1, [null, 'thing', 7]), 'FlowUnreadable'],
  ['with steps that are no list', flow(1, { thing: seed }), 'FlowUnreadable'],
  ['with what flows before it did that is no list', flow(1, [], 'thing'), 'FlowUnreadable'],
])('a flow %s is refused with a reason', (_, record, reason) => {
  expect(() => read(record)).toThrow(
    expect.objectContaining({ reason, retry: 'terminal' } satisfies Partial<PlumbError>),
  );
});

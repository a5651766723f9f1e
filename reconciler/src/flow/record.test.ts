import type { PlumbError } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { PLAN_VERSION } from '../plan/plan.ts';
import { decodeFlow, encodeFlow, type FlowRecord } from './record.ts';
import { readText } from './record-text.ts';

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
  expect(read(readText(encodeFlow(before)))).toEqual(read(now));
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

const SUM = '9b1dec0ff1ce'.padEnd(64, '0');
const NETWORK = '3f2c8a52-5d0e-7000-8000-00000000000a';
const target = {
  ...{ host: 'host-1', cpus: 1, memoryMiB: 512 },
  interfaces: [
    {
      name: 'eth0',
      l3Network: 'web/lab',
      l3NetworkUid: NETWORK,
      macAddress: '02:00:00:00:00:01',
      addresses: ['10.0.0.9'],
    },
  ],
  rootDisk: { id: `${UID}.root`, imageUid: NETWORK, sha256: SUM, format: 'qcow2' as const },
};
const image = {
  kind: 'image',
  id: SUM,
  owner: NETWORK,
  spec: { url: 'https://a', sha256: SUM, format: 'raw', maxBytes: 1 },
};
const disk = { kind: 'disk', id: `${UID}.root`, owner: UID, spec: { image: SUM, imageFormat: 'qcow2' } };
const make = (resource: { kind: string; id: string }, more: object = {}) => ({
  ...{ id: `make ${resource.kind}/${resource.id}`, host: 'host-1', verb: 'ensure', resource, disruption: 'none' },
  ...{ undo: resource.kind === 'image' ? 'shared' : 'undoable', why: `${resource.kind} is not there`, ...more },
});
const gone = { ...make(disk), id: `remove disk/${UID}.root`, verb: 'remove', undo: 'pivot', previous: disk };
const whole = (more: object = {}) =>
  ({
    ...flow(PLAN_VERSION, [make(image), make(disk), make({ ...seed })], undefined),
    target,
    ...more,
  }) as unknown as FlowRecord;

test.each([
  ['a create', whole()],
  [
    'steps of every manner',
    whole({
      carried: [
        { ...step, resource: seed },
        { ...gone, disruption: 'dataLoss', why: 'is no longer declared' },
      ],
    }),
  ],
  [
    'elsewhere',
    whole({
      plan: {
        version: PLAN_VERSION,
        steps: [make(disk, { host: 'host-2', why: 'x', disruption: 'restart', undo: 'shared' })],
      },
    }),
  ],
  [
    'a delete, that holds something and is to hold nothing',
    whole({ target: undefined, held: [target], purpose: 'delete' }),
  ],
  [
    'a failure, with what was there before',
    whole({ direction: 'failed', failure: { reason: 'R', message: SUM, undone: [UID] }, former: [disk] }),
  ],
  [
    'words of a user that look like ours',
    whole({
      plan: {
        version: PLAN_VERSION,
        steps: [make({ ...seed, spec: { ...seed.spec, userData: `\u0001\u0002 ${UID} ${SUM} \\u0001` } } as never)],
      },
    }),
  ],
  ['a uid that is no uid', { ...whole({ target: undefined }), uid: 'u' }],
])('what is written is read again: %s', (_, record) => {
  const read = decodeFlow(record.uid, encodeFlow(record));
  expect(JSON.parse(JSON.stringify(read))).toEqual(JSON.parse(JSON.stringify(record)));
});

test('a create is written in less than two thirds of what it is in full', () => {
  expect(encodeFlow(whole()).length).toBeLessThan(JSON.stringify(whole()).length * 0.62);
});

test.each([
  ['a place for a word that there is not', encodeFlow(whole()).replaceAll('\u0002', '\u0006')],
  ['words that are none', `{"uid":"${UID}","words":[1],"key":"x"}`],
  ['a step without a resource', encodeFlow(whole()).replace('"resource"', '"risource"')],
  ['the record of another', encodeFlow(whole()).replace(UID, UID.replace('3', '4'))],
])('a text that is not one of ours is refused: %s', (_, text) => {
  expect(() => decodeFlow(UID, text)).toThrow(expect.objectContaining({ reason: 'FlowUnreadable' }));
});

import type { PlumbError } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { allocationHolding } from '../plan/allocation.ts';
import type { Held, HoldingType, HoldingTypes } from '../plan/holding.ts';
import { PLAN_VERSION } from '../plan/plan.ts';
import { decodeFlow, encodeFlow, type FlowRecord } from './record.ts';
import { readText } from './record-text.ts';

const TYPES: HoldingTypes = new Map([['Instance', allocationHolding]]);
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
  ...{
    key: '/objects/instances/web/web-0',
    uid: UID,
    kind: 'Instance',
    purpose: 'create',
    generation: 1,
    direction: 'forward',
  },
  ...{ plan: { version, steps }, carried, held: [], inputs: 'x', startedAt: 0 },
});
const read = (record: unknown) => decodeFlow(UID, JSON.stringify(record), TYPES);

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
  const read = decodeFlow(record.uid, encodeFlow(record, allocationHolding), TYPES);
  expect(JSON.parse(JSON.stringify(read))).toEqual(JSON.parse(JSON.stringify(record)));
});

test('a create is written in less than two thirds of what it is in full', () => {
  expect(encodeFlow(whole(), allocationHolding).length).toBeLessThan(JSON.stringify(whole()).length * 0.62);
});

test('a record in which no kind is written is of an Instance, as all were, and that of an Instance is written so', () => {
  const { kind: _kind, ...before } = flow(PLAN_VERSION, []);
  expect(read(before).kind).toBe('Instance');
  expect(encodeFlow(read(before), allocationHolding)).not.toContain('Instance');
});

test('a record of another kind says so, holds what that kind says, and is refused where the kind is not known', () => {
  const gate: HoldingType<Held & { ports: number[] }> = {
    kind: 'Gate',
    schema: {
      type: 'object',
      required: ['ports'],
      properties: { ports: { type: 'array', items: { type: 'integer' } } },
    },
    whyNot: (_, { ports }) => (ports.includes(0) ? 'holds no port' : undefined),
    settled: () => undefined,
    claims: ({ host, ports }) => ({ host, amounts: [], exclusive: ports.map((port) => ({ pool: 0, key: `${port}` })) }),
  };
  const types: HoldingTypes = new Map([['Gate', gate as HoldingType]]);
  const holding = (held: object[]) => JSON.stringify({ ...flow(PLAN_VERSION, []), kind: 'Gate', held });
  const held = { host: 'host-1', ports: [7, 8] };
  const record = decodeFlow(UID, holding([held]), types);
  expect(record).toMatchObject({ kind: 'Gate', held: [held] });
  expect(decodeFlow(UID, encodeFlow(record, gate as HoldingType), types)).toEqual(record);
  const why = (text: string, known = types) => {
    try {
      return decodeFlow(UID, text, known);
    } catch (error) {
      return (error as PlumbError).message;
    }
  };
  expect(why(holding([{ host: 'host-1', ports: 'none' }]))).toBe('holding.ports is a text, not a list');
  expect(why(holding([{ ports: [] }]))).toBe('record.held[0].host is missing');
  expect(why(holding([{ host: 'host-1', ports: [0] }]))).toBe('holds no port');
  expect(why(holding([{ host: 'no key\n', ports: [] }]))).toBe('holds what is no host, or no key of what is claimed');
  expect(why(holding([held]), TYPES)).toBe('is of kind "Gate", and no objects of such a kind are placed here');
});

test.each([
  ['a place for a word that there is not', encodeFlow(whole(), allocationHolding).replaceAll('\u0002', '\u0006')],
  ['words that are none', `{"uid":"${UID}","words":[1],"key":"x"}`],
  ['a step without a resource', encodeFlow(whole()).replace('"resource"', '"risource"')],
  ['the record of another', encodeFlow(whole()).replace(UID, UID.replace('3', '4'))],
])('a text that is not one of ours is refused: %s', (_, text) => {
  expect(() => decodeFlow(UID, text, TYPES)).toThrow(expect.objectContaining({ reason: 'FlowUnreadable' }));
});

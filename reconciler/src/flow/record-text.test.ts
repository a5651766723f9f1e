/**
 * Records as they lie in stores: what is left out follows from rules that must stay as they were, since it is read by them. What
 * writes and reads alike says nothing about that, so the text stands here.
 */
import { expect, test } from 'vitest';
import { allocationHolding } from '../plan/allocation.ts';
import type { FlowRecord } from './record.ts';
import { readText, textOf } from './record-text.ts';

const UID = '01a22e70-0b6e-7141-a1b2-6a6baa842e41';
const SUM = '1123456789abcdef'.repeat(4);
const NET = '01a22e6f-e586-7344-a68a-04fafeff2170';

const held = (disk: string, sha256: string) =>
  `{"host":"sim-1","cpus":1,"memoryMiB":128,"interfaces":[{"name":"eth0","l3Network":"default/lab","l3NetworkUid":"\x03","macAddress":"02:00:00:00:00:01","addresses":["10.0.0.2"]}],"rootDisk":{"id":"\x01.${disk}","imageUid":"i","sha256":"${sha256}","format":"qcow2"}}`;
const STORED = `{"uid":"${UID}","words":["${SUM}","${NET}"],"key":"/objects/instances/default/a","purpose":"update","generation":2,"direction":"forward","held":[${held('root', '0')}],"inputs":"2  \x03:1","startedAt":1,"target":${held('new', '\x02')},"plan":{"version":2,"steps":[${[
  `{"verb":"ensure","resource":{"kind":"image","id":"\x02","owner":"i","spec":{"url":"https://a","sha256":"\x02","format":"qcow2","maxBytes":1}}}`,
  `{"host":"sim-2","verb":"ensure","resource":{"kind":"disk","id":"\x01.new","spec":{"image":"\x02","imageFormat":"qcow2"}}}`,
  `{"verb":"ensure","resource":{"kind":"seed","id":"\x01.seed","spec":{"instanceId":"1"}},"previous":{"kind":"seed","id":"\x01.seed","spec":{"instanceId":"0"}},"disruption":"restart","why":"it differs"}`,
  `{"verb":"remove","resource":{"kind":"port","id":"\x01.eth1","spec":{}},"previous":true}`,
  `{"verb":"remove","resource":{"kind":"disk","id":"\x01.root","spec":{"image":"0","imageFormat":"qcow2"}},"previous":true,"why":"disk is no longer declared"}`,
].join(',')}]}}`;

test('a record of plan version 2 says of each step what it said when it was written', () => {
  const record = readText(STORED) as FlowRecord;
  expect(record.plan.steps.map(({ resource, previous, ...said }) => [said, resource.owner, previous?.owner])).toEqual([
    [
      {
        ...{ id: `make image/${SUM}`, host: 'sim-1', verb: 'ensure' },
        ...{ undo: 'shared', disruption: 'none', why: 'image is not there' },
      },
      'i',
      undefined,
    ],
    [
      {
        ...{ id: `make disk/${UID}.new`, host: 'sim-2', verb: 'ensure' },
        ...{ undo: 'undoable', disruption: 'none', why: 'disk is not there' },
      },
      UID,
      undefined,
    ],
    [
      {
        ...{ id: `change seed/${UID}.seed`, host: 'sim-1', verb: 'ensure' },
        ...{ undo: 'undoable', disruption: 'restart', why: 'it differs' },
      },
      UID,
      UID,
    ],
    [
      {
        ...{ id: `remove port/${UID}.eth1`, host: 'sim-1', verb: 'remove' },
        ...{ undo: 'undoable', disruption: 'live', why: 'port is not there' },
      },
      UID,
      UID,
    ],
    [
      {
        ...{ id: `remove disk/${UID}.root`, host: 'sim-1', verb: 'remove' },
        ...{ undo: 'pivot', disruption: 'dataLoss', why: 'disk is no longer declared' },
      },
      UID,
      UID,
    ],
  ]);
  expect(record.target).toMatchObject({ rootDisk: { id: `${UID}.new`, sha256: SUM } });
  expect(record.held).toMatchObject([{ interfaces: [{ l3NetworkUid: NET }] }]);
});

test('it is written as it was', () => {
  expect(textOf(readText(STORED) as FlowRecord, allocationHolding)).toBe(STORED);
});

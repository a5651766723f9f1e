import { expect, test } from 'vitest';
import { formatPeers } from './report.ts';
import type { PeerName, PeerResults, RecordedRun } from './result.ts';

const run = (peer: PeerName, ready: number, more: Partial<RecordedRun> = {}): RecordedRun => ({
  ...{ peer, round: 1, size: 500, ready, othersCores: 0.1, ...more },
});

function results(runs: RecordedRun[]): PeerResults {
  const machine = { processor: 'P', cores: 2, memoryGiB: 24, kernel: 'linux 6' };
  return {
    measured: { date: '2026-11-21T00:00:00.000Z', commit: 'abc', ...machine, versions: { node: '26' } },
    peerVersions: { etcd: 'v3' },
    ...{ hosts: 1000, connections: 500, rounds: 1, encoding: 'protobuf', runs, failures: [] },
  };
}

test('Peers stand beside ours, as many times as slow as their medians are', () => {
  const text = formatPeers(
    results([
      run('plumb', 300),
      run('plumb', 200),
      run('plumb', 100),
      run('kubernetes', 3000),
      run('kubernetes', 1000),
    ]),
  );
  expect(text).toContain('|  | Plumb | Kubernetes with kwok |');
  expect(text).toContain('| all Running | 200 (100 – 300) ms | 2,000 (1,000 – 3,000) ms |');
  expect(text).toContain('| as many times as ours | **1** | **10** |');
  expect(text).toContain('etcd v3');
});

test('What only a peer was measured with has no ratio, and what a peer cannot tell is left empty', () => {
  const text = formatPeers(results([run('ganeti', 60_000, { size: 100, cpuMsPerCreate: 300 })]));
  expect(text).toContain('## 100 at once');
  expect(text).toContain('| processor time per create | 300 (300 – 300) ms |');
  expect(text).toContain('| resident memory |  |');
  expect(text).not.toContain('times as ours');
});

test('What failed is told', () => {
  const failures = [{ peer: 'kubernetes' as const, round: 2, why: 'etcd ended' }];
  expect(formatPeers({ ...results([run('plumb', 1)]), failures })).toContain(
    '- Kubernetes with kwok, round 2: etcd ended',
  );
  expect(formatPeers(results([run('plumb', 1)]))).not.toContain('Failed');
});

test('Times that were measured beside busy neighbours are said to mean little', () => {
  const busy = results([run('plumb', 1, { othersCores: 1.8 }), run('plumb', 1, { othersCores: 1.6 })]);
  expect(formatPeers(busy)).toContain('Other programs used 1.7 cores meanwhile');
  expect(formatPeers(results([run('plumb', 1)]))).not.toContain('Other programs');
});

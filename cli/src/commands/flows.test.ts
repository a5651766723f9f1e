import { expect, test } from 'vitest';
import { type FlowView, timeline } from './flows.ts';

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

/**
 * What is under way in a data folder that is kept: instances at rest, and one for each way in which a flow can be caught half done.
 * Data only; `make.ts` has it happen.
 */
import type { Fate, Rule } from './unruly.ts';

export type Step = Pick<Rule, 'verb' | 'kind' | 'fate' | 'times'>;

export interface Scene {
  name: string;
  /** More of its spec. */
  spec?: Record<string, unknown>;
  /** What hosts do to it while it is made; then it does not become Ready. */
  made?: readonly Step[];
  /** It is made by a change set. */
  bySet?: true;
  /** What happens to it when it is Ready: hosts are told first. */
  after?: {
    hosts?: readonly Step[];
    spec?: Record<string, unknown>;
    offering?: string;
    crash?: true;
    delete?: true;
    /** Something that it refers to is declared otherwise, or deleted. */
    other?: { method: string; path: string; body?: object };
  };
  /** What happens then happens when its host is away. */
  late?: true;
  /** When its scene is set: reason of its condition Ready, that it is Stalled, or gone; absent: when hosts have met the last step. */
  until?: 'Stuck' | 'Stalled' | 'gone';
  /** What is to come of it when the server of today has it, and hosts obey. */
  ends: 'Ready' | 'gone' | 'failed';
  /** How often its guest is started on the way there: what its flow had still to do, and nothing more. */
  boots: number;
}

const ensure = (kind: string, fate: Fate): Step => ({ verb: 'ensure', kind, fate });
const remove = (kind: string, fate: Fate): Step => ({ verb: 'remove', kind, fate });

/** An update fails, and what there was before can be had again. */
const ONCE = { ...ensure('domain', 'fail terminal'), times: 1 };

const ETH0 = { name: 'eth0', l3Network: 'lab' };
const TWO = { interfaces: [ETH0, { name: 'eth1', l3Network: 'back' }] };
const OFF_LATER = { hostSelector: { matchLabels: { power: 'lost' } } };

export const scenes: readonly Scene[] = [
  { name: 'rest', ends: 'Ready', boots: 0 },
  { name: 'rest-stopped', spec: { power: 'Stopped' }, ends: 'Ready', boots: 0 },
  { name: 'rest-two', spec: { ...TWO, userData: '#cloud-config\n' }, ends: 'Ready', boots: 0 },
  { name: 'rest-address', spec: { interfaces: [{ ...ETH0, addresses: ['10.20.0.77'] }] }, ends: 'Ready', boots: 0 },
  { name: 'rest-away', spec: OFF_LATER, ends: 'Ready', boots: 0 },

  {
    name: 'rest-larger',
    spec: { offering: 'edited' },
    after: { other: { method: 'PATCH', path: 'instanceofferings/edited', body: { spec: { memoryMiB: 512 } } } },
    ends: 'Ready',
    boots: 0,
  },
  {
    name: 'rest-leaving',
    spec: { interfaces: [{ name: 'eth0', l3Network: 'leaving' }] },
    after: { other: { method: 'DELETE', path: 'namespaces/default/l3networks/leaving' } },
    ends: 'Ready',
    boots: 0,
  },
  { name: 'rest-deleted', spec: OFF_LATER, after: { delete: true }, until: 'gone', ends: 'gone', boots: 0 },

  { name: 'forward-disk', made: [ensure('disk', 'hang')], ends: 'Ready', boots: 1 },
  { name: 'forward-port', made: [ensure('port', 'hang')], ends: 'Ready', boots: 1 },
  { name: 'forward-domain', made: [ensure('domain', 'hang')], ends: 'Ready', boots: 1 },
  { name: 'forward-made', made: [ensure('domain', 'hang after')], ends: 'Ready', boots: 0 },
  { name: 'forward-retry', made: [ensure('domain', 'fail')], ends: 'Ready', boots: 1 },
  { name: 'forward-two', spec: TWO, made: [ensure('seed', 'hang')], ends: 'Ready', boots: 1 },
  { name: 'forward-away', spec: OFF_LATER, made: [ensure('domain', 'hang')], ends: 'Ready', boots: 1 },

  {
    name: 'back-port',
    made: [ensure('domain', 'fail terminal'), remove('port', 'hang')],
    ends: 'failed',
    boots: 0,
  },
  {
    name: 'back-disk',
    made: [ensure('domain', 'fail terminal'), remove('disk', 'hang after')],
    ends: 'failed',
    boots: 0,
  },
  {
    name: 'stuck',
    made: [ensure('domain', 'fail terminal'), remove('disk', 'fail terminal')],
    until: 'Stuck',
    ends: 'failed',
    boots: 0,
  },
  {
    name: 'failed',
    made: [ensure('domain', 'fail terminal')],
    until: 'Stalled',
    ends: 'failed',
    boots: 0,
  },

  {
    name: 'update-before',
    after: { hosts: [ensure('domain', 'hang')], offering: 'large' },
    ends: 'Ready',
    boots: 1,
  },
  {
    name: 'update-after',
    after: { hosts: [ensure('domain', 'hang after')], offering: 'large' },
    ends: 'Ready',
    boots: 0,
  },
  {
    name: 'update-live',
    after: { hosts: [ensure('port', 'hang')], spec: TWO },
    ends: 'Ready',
    boots: 0,
  },
  {
    name: 'update-back',
    after: { hosts: [ONCE, remove('port', 'hang')], spec: TWO },
    ends: 'failed',
    boots: 0,
  },
  {
    name: 'update-stuck',
    after: { hosts: [ONCE, remove('port', 'fail terminal')], spec: TWO },
    until: 'Stuck',
    ends: 'failed',
    boots: 0,
  },
  {
    name: 'update-failed',
    after: { hosts: [ONCE], spec: TWO },
    until: 'Stalled',
    ends: 'failed',
    boots: 0,
  },
  {
    name: 'update-disk',
    spec: { allowDataLoss: true },
    after: { hosts: [ensure('disk', 'hang')], spec: { image: 'other' } },
    ends: 'Ready',
    boots: 1,
  },
  {
    name: 'update-away',
    spec: OFF_LATER,
    after: { hosts: [ensure('port', 'hang')], spec: { ...OFF_LATER, ...TWO } },
    ends: 'Ready',
    boots: 0,
  },
  { name: 'repair', after: { hosts: [ensure('domain', 'hang')], crash: true }, ends: 'Ready', boots: 1 },
  { name: 'stop', after: { hosts: [ensure('domain', 'hang')], spec: { power: 'Stopped' } }, ends: 'Ready', boots: 0 },

  { name: 'delete-domain', after: { hosts: [remove('domain', 'hang')], delete: true }, ends: 'gone', boots: 0 },
  { name: 'delete-port', after: { hosts: [remove('port', 'hang after')], delete: true }, ends: 'gone', boots: 0 },
  {
    name: 'delete-stuck',
    after: { hosts: [remove('disk', 'fail terminal')], delete: true },
    until: 'Stuck',
    ends: 'gone',
    boots: 0,
  },
  { name: 'gone-away', spec: OFF_LATER, late: true, after: { delete: true }, ends: 'gone', boots: 0 },
  {
    name: 'changed-away',
    spec: OFF_LATER,
    late: true,
    after: { spec: { ...OFF_LATER, ...TWO } },
    ends: 'Ready',
    boots: 0,
  },

  // The deadline of its change set is over when the folder is opened again: everything returns to what it was.
  { name: 'set', bySet: true, made: [ensure('port', 'hang')], ends: 'gone', boots: 0 },
];

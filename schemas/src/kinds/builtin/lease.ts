/** coordination.k8s.io/v1 Lease: who of several programs leads, or that one is alive. */
import type { FieldError } from '../../meta/error.ts';
import { defineKind, type KindDefinition } from '../define.ts';
import { forbidden, invalid } from './mistakes.ts';
import { microTime } from './times.ts';

interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  leaseTransitions?: number;
  strategy?: string;
  preferredHolder?: string;
}

export const lease = defineKind({
  kind: 'Lease',
  group: 'coordination.k8s.io',
  plural: 'leases',
  singular: 'lease',
  shortNames: [],
  scope: 'Namespaced',
  names: 'subdomain',
  description: 'Who of several programs leads, as they tell each other. Plumb itself does not act on it.',
  spec: {
    type: 'object',
    additionalProperties: false,
    properties: {
      holderIdentity: { type: 'string', description: 'Who holds it.' },
      leaseDurationSeconds: {
        type: 'integer',
        description: 'How long after renewTime others wait before they take it.',
      },
      acquireTime: { type: 'string', format: 'date-time', description: 'When the holder got it.' },
      renewTime: { type: 'string', format: 'date-time', description: 'When the holder last renewed it.' },
      leaseTransitions: { type: 'integer', description: 'How often the holder changed.' },
      strategy: { type: 'string', description: 'How a leader is picked, where candidates are coordinated.' },
      preferredHolder: { type: 'string', description: 'To whom the holder is to give it.' },
    },
  },
  status: { type: 'object', additionalProperties: false, properties: {} },
  columns: [{ name: 'Holder', path: 'spec.holderIdentity', type: 'string', description: 'Who holds it.' }],
  immutable: [],
  references: [],
  disruption: {},
  // Programs write it, every few seconds.
  terraform: false,
  normalize: ({ spec }: { spec?: Record<string, unknown> | null }) => {
    if (typeof spec !== 'object' || spec === null) return;
    for (const field of ['acquireTime', 'renewTime']) if (field in spec) spec[field] = microTime(spec[field]);
  },
  validate: ({ spec = {} }: { spec?: LeaseSpec }) => leaseErrors(spec),
}) as KindDefinition;

/** pkg/apis/coordination/validation, ValidateLeaseSpec. */
function leaseErrors(spec: LeaseSpec): FieldError[] {
  const { leaseDurationSeconds, leaseTransitions, strategy, preferredHolder } = spec;
  const errors: FieldError[] = [];
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0)
    errors.push(invalid('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'));
  if (leaseTransitions !== undefined && leaseTransitions < 0)
    errors.push(invalid('spec.leaseTransitions', leaseTransitions, 'must be greater than or equal to 0'));
  if (strategy !== undefined && !STRATEGY.test(strategy))
    errors.push(
      invalid('spec.strategy', strategy.slice(0, 300), 'is no name of a strategy, such as OldestEmulationVersion'),
    );
  if (preferredHolder && !strategy)
    errors.push(forbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined'));
  return errors;
}

/** A word, or a word with a DNS prefix. */
const STRATEGY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

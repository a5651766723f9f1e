/** A kind that is made up: something on a mast that sends on a channel, of which each has one holder. */

import { defineKind, type ObjectOf } from '@plumb/schemas/kinds/define.ts';
import { placedStatus } from '@plumb/schemas/meta/schema.ts';

import { lamp, mast } from './resources.ts';

export const relay = defineKind({
  kind: 'Relay',
  plural: 'relays',
  singular: 'relay',
  shortNames: [],
  scope: 'Namespaced',
  description: 'Sends on a channel what a network carries.',
  spec: {
    type: 'object',
    additionalProperties: false,
    required: ['zone', 'l2Network', 'channel', 'watts', 'colour'],
    properties: {
      zone: { type: 'string' },
      l2Network: { type: 'string' },
      channel: { type: 'integer' },
      watts: { type: 'integer' },
      colour: { type: 'string' },
      driftPolicy: { type: 'string', enum: ['Repair', 'Report'] },
    },
  },
  status: {
    type: 'object',
    additionalProperties: false,
    properties: {
      ...placedStatus,
      channel: { type: 'integer' },
      network: { type: 'string' },
    },
  },
  columns: [],
  immutable: [],
  references: [
    { path: 'zone', kind: 'Zone' },
    { path: 'l2Network', kind: 'L2Network' },
  ],
  disruption: {},
  resources: { mast, lamp },
});

export type Relay = ObjectOf<typeof relay>;

/** What a relay is on its host: a mast, and a lamp that stands on it and on the bridge of a network. */
import type { ResourceDefinition } from '@plumb/schemas/resources/define.ts';

interface Lamp {
  mast: string;
  bridge: string;
  channel: number;
  watts: number;
  colour: string;
  place: string;
}

export const mast = {
  spec: { type: 'object', required: ['metres'], properties: { metres: { type: 'integer' } } },
  sharing: 'owned',
  label: () => 'the mast',
} as const satisfies ResourceDefinition<{ metres: number }>;

export const lamp = {
  spec: {
    type: 'object',
    required: ['mast', 'bridge', 'channel', 'watts', 'colour', 'place'],
    properties: {
      mast: { type: 'string' },
      bridge: { type: 'string' },
      channel: { type: 'integer' },
      watts: { type: 'integer' },
      colour: { type: 'string' },
      place: { type: 'string' },
    },
  },
  sharing: 'owned',
  requires: { mast: ({ mast }) => [mast], bridge: ({ bridge }) => [bridge] },
  changeCost: (before, after) => (before.watts === after.watts ? 'live' : 'restart'),
  label: () => 'the lamp',
} as const satisfies ResourceDefinition<Lamp>;

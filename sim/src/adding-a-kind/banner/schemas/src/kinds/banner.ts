import type { FromSchema } from 'json-schema-to-ts';
import { commonStatus, deletionProtection, labels } from '../meta/schema.ts';
import type { ResourceDefinition } from '../resources/define.ts';
import type { ObjectOf } from './define.ts';
import { defineKind } from './define.ts';

const text = { type: 'string', minLength: 1, maxLength: 4096, description: 'What is shown.' } as const;

const spec = { type: 'object', additionalProperties: false, required: ['text'], properties: { text } } as const;

/** A file on the host with the text. id and owner: uid of the Banner. */
const bannerFile = {
  spec,
  sharing: 'owned',
  label: () => 'the banner',
} as const satisfies ResourceDefinition<FromSchema<typeof spec>>;

export const banner = defineKind({
  kind: 'Banner',
  plural: 'banners',
  singular: 'banner',
  shortNames: ['bn'],
  scope: 'Cluster',
  description: 'A text that hosts of a zone show to those who log in.',
  spec: {
    type: 'object',
    additionalProperties: false,
    required: ['zone', 'text'],
    properties: {
      zone: { type: 'string', description: 'Name of the Zone whose hosts show it.' },
      text,
      deletionProtection,
      hostSelector: {
        type: 'object',
        additionalProperties: false,
        description: 'Which hosts of the zone show it; all, if absent.',
        properties: { matchLabels: { ...labels, description: 'Labels that the host must have.' } },
      },
    },
  },
  status: { type: 'object', additionalProperties: false, properties: { ...commonStatus } },
  columns: [
    {
      name: 'Ready',
      path: 'status.conditions[Ready].status',
      type: 'string',
      description: 'Whether every host that is connected shows it.',
    },
  ],
  immutable: [],
  references: [{ path: 'zone', kind: 'Zone' }],
  disruption: {},
  resources: { banner: bannerFile },
});

export type Banner = ObjectOf<typeof banner>;

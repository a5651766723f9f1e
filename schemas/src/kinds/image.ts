import { commonStatus, deletionProtection } from '../meta/schema.ts';
import type { ObjectOf } from './define.ts';
import { defineKind } from './define.ts';

export const image = defineKind({
  kind: 'Image',
  plural: 'images',
  singular: 'image',
  shortNames: ['img'],
  scope: 'Cluster',
  description:
    'A disk image that instances start from. Hosts fetch it once, check its sum, and clone it without copying.',
  spec: {
    type: 'object',
    additionalProperties: false,
    required: ['url', 'sha256', 'format'],
    properties: {
      url: {
        type: 'string',
        maxLength: 2048,
        pattern: '^(https|http|file)://.+',
        'x-plumb-sensitive': 'url',
        description:
          'Where hosts fetch it: https, http, or file (a path on every host), as far as the operator of the host allows it.',
      },
      sha256: {
        type: 'string',
        pattern: '^[a-f0-9]{64}$',
        description: 'SHA-256 of the file, 64 lower case hex digits.',
      },
      format: { type: 'string', enum: ['qcow2', 'raw'], description: 'Format of the file.' },
      maxSizeMiB: {
        type: 'integer',
        minimum: 1,
        maximum: 1048576,
        default: 20480,
        description: 'A file or a virtual disk larger than this is refused.',
      },
      deletionProtection,
    },
  },
  status: { type: 'object', additionalProperties: false, properties: { ...commonStatus } },
  columns: [
    { name: 'Format', path: 'spec.format', type: 'string', description: 'Format of the file.' },
    {
      name: 'Ready',
      path: 'status.conditions[Ready].status',
      type: 'string',
      description: 'Whether instances can start from it.',
    },
    { name: 'Reason', path: 'status.conditions[Ready].reason', type: 'string', description: 'Why.' },
    { name: 'URL', path: 'spec.url', type: 'string', description: 'Where it is fetched.', priority: 1 },
  ],
  immutable: [],
  references: [],
  disruption: {},
  // A file of every host, whoever put it there.
  extraRights: ({ url }: { url?: unknown }) =>
    typeof url === 'string' && /^file:/i.test(url)
      ? [{ verb: 'use', subresource: 'file', value: url, because: 'its url is a file of the hosts' }]
      : [],
});

export type Image = ObjectOf<typeof image>;

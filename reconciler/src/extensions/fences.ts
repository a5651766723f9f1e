/** `POST /apis/plumb.dev/v1/fences`: a person's word that a host is off. */

import type { ValueOf } from '@plumb/schemas/kinds/define.ts';
import { name } from '@plumb/schemas/meta/schema.ts';
import { type Extension, taking } from '../api/extension.ts';
import type { Context } from '../controllers/controller.ts';
import { fenceHost } from '../controllers/host/fence.ts';

const FENCE = {
  type: 'object',
  additionalProperties: false,
  required: ['host', 'confirmedOff'],
  properties: {
    host: { ...name, description: 'Name of the host.' },
    evict: {
      type: 'boolean',
      description:
        'That an agent which speaks for it all the same is not believed: its credential is void, and only a readmission lets one in.',
    },
    confirmedOff: { type: 'boolean', enum: [true], description: 'That the host is off, and stays off.' },
  },
} as const;

export function fenceExtension(context: Context): Extension {
  return {
    method: 'POST',
    path: '/apis/plumb.dev/v1/fences',
    strict: true,
    ...taking(FENCE, async ({ host, evict }: ValueOf<typeof FENCE>, { user }) => {
      const { instances } = await fenceHost(context, host, user.name, evict);
      return { body: { apiVersion: 'plumb.dev/v1', kind: 'Fence', metadata: { name: host }, instances } };
    }),
  };
}

/** `POST /apis/plumb.dev/v1/orphanremovals`: removes from a host what is there for no object. */
import type { ValueOf } from '@plumb/schemas/kinds/define.ts';
import { name } from '@plumb/schemas/meta/schema.ts';
import { type Extension, taking } from '../api/extension.ts';
import type { Context } from '../controllers/controller.ts';
import { removeOrphan } from '../controllers/host/orphan-removal.ts';

const REMOVAL = {
  type: 'object',
  additionalProperties: false,
  required: ['host', 'kind', 'id'],
  properties: {
    host: { ...name, description: 'Name of the host.' },
    kind: { type: 'string', maxLength: 63, description: 'Type of the resource, as the status of the Host names it.' },
    id: { type: 'string', maxLength: 200, description: 'Its identity on the host.' },
    allowDataLoss: {
      type: 'boolean',
      description: 'That what it holds may be lost; needed for disks and unknown types.',
    },
  },
} as const;

export function orphanRemovalExtension(context: Context): Extension {
  return {
    method: 'POST',
    path: '/apis/plumb.dev/v1/orphanremovals',
    strict: true,
    ...taking(REMOVAL, async ({ host, kind, id, allowDataLoss = false }: ValueOf<typeof REMOVAL>, { user }) => {
      await removeOrphan(context, { host, kind, id, allowDataLoss }, user.name);
      return {
        body: { apiVersion: 'plumb.dev/v1', kind: 'OrphanRemoval', metadata: { name: host }, resource: { kind, id } },
      };
    }),
  };
}

/** `POST …/namespaces/<project>/gitsyncs` and `…/gitapprovals`: a person's word on a GitSource. */
import type { ValueOf } from '@plumb/schemas/kinds/define.ts';
import { name } from '@plumb/schemas/meta/schema.ts';
import { type Extension, taking } from '../api/extension.ts';
import type { Context } from '../controllers/controller.ts';
import { approvePrune, lookNow } from '../controllers/git-source/person.ts';

const PROJECT = '/apis/plumb.dev/v1/namespaces/{namespace}';

const SYNC = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: { name: { ...name, description: 'Name of the GitSource.' } },
} as const;

const APPROVAL = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'digest'],
  properties: {
    name: { ...name, description: 'Name of the GitSource.' },
    digest: {
      type: 'string',
      pattern: '^[0-9a-f]{32}$',
      description: 'status.pendingPrune.digest: exactly this deletion is approved.',
    },
  },
} as const;

export function gitSourceExtensions(context: Context): Extension[] {
  return [
    {
      method: 'POST',
      path: `${PROJECT}/gitsyncs`,
      strict: true,
      ...taking(SYNC, async (body: ValueOf<typeof SYNC>, { params }) => {
        await lookNow(context, params.namespace!, body.name);
        return { status: 201, body: { apiVersion: 'plumb.dev/v1', kind: 'GitSync', metadata: { name: body.name } } };
      }),
    },
    {
      method: 'POST',
      path: `${PROJECT}/gitapprovals`,
      strict: true,
      ...taking(APPROVAL, async ({ name: named, digest }: ValueOf<typeof APPROVAL>, { params }) => {
        const { count } = await approvePrune(context, params.namespace!, named, digest);
        return {
          status: 201,
          body: { apiVersion: 'plumb.dev/v1', kind: 'GitApproval', metadata: { name: named }, count },
        };
      }),
    },
  ];
}

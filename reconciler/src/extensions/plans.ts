/** `POST /apis/plumb.dev/v1/plans`: what applying the objects would do, without doing it. */
import type { ValueOf } from '@plumb/schemas/kinds/define.ts';
import { type Extension, taking } from '../api/extension.ts';
import type { Context } from '../controllers/controller.ts';
import { preview } from '../controllers/preview.ts';

/** Of an object what must be there to know its kind; the rest is judged as a write of the object would be. */
const PLAN = {
  type: 'object',
  additionalProperties: false,
  required: ['objects'],
  properties: {
    objects: {
      type: 'array',
      description: 'The objects as they would be applied.',
      items: {
        type: 'object',
        'x-plumb-sensitive': true,
        additionalProperties: true,
        required: ['kind', 'metadata', 'spec'],
        properties: {
          kind: { type: 'string', description: 'The kind.' },
          metadata: {
            type: 'object',
            additionalProperties: true,
            required: ['name'],
            description: 'Its metadata.',
            properties: {
              name: { type: 'string', description: 'The name.' },
              namespace: { type: 'string', description: 'The project; default, if absent.' },
            },
          },
          spec: { type: 'object', additionalProperties: true, description: 'Its spec.' },
        },
      },
    },
  },
} as const;

export function planExtension(context: Context): Extension {
  return {
    method: 'POST',
    onlyReads: true,
    path: '/apis/plumb.dev/v1/plans',
    ...taking(PLAN, async ({ objects }: ValueOf<typeof PLAN>, { level, warn }) => {
      const items = preview(context, objects, { level, warn });
      return { body: { apiVersion: 'plumb.dev/v1', kind: 'PlanList', metadata: {}, items } };
    }),
  };
}

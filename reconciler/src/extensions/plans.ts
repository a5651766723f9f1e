/** `POST /apis/plumb.dev/v1/plans`: what applying the objects would do, without doing it. */
import { terminal } from '@plumb/schemas';
import type { Extension } from '../api/extension.ts';
import type { Context } from '../controllers/controller.ts';
import { type Declaration, preview } from '../controllers/preview.ts';

export function planExtension(context: Context): Extension {
  return {
    method: 'POST',
    onlyReads: true,
    path: '/apis/plumb.dev/v1/plans',
    async handle(request) {
      const { objects } = ((await request.json()) ?? {}) as { objects?: unknown };
      if (!Array.isArray(objects) || !objects.every(isDeclaration))
        throw terminal('BadRequest', 'objects must be a list of { kind, metadata: { name }, spec }');
      const items = preview(context, objects);
      return { body: { apiVersion: 'plumb.dev/v1', kind: 'PlanList', metadata: {}, items } };
    },
  };
}

function isDeclaration(value: unknown): value is Declaration {
  const { kind, metadata, spec } = (value ?? {}) as Partial<Declaration>;
  return (
    typeof kind === 'string' &&
    typeof metadata?.name === 'string' &&
    (metadata.namespace === undefined || typeof metadata.namespace === 'string') &&
    typeof spec === 'object' &&
    spec !== null
  );
}

/** `POST /apis/plumb.dev/v1/cascades`: deletes objects with all that refers to them; with `dryRun` only says which. */
import { kindByName, terminal } from '@plumb/schemas';
import { shown } from '@plumb/schemas/project/shown.ts';
import type { Extension } from '../api/extension.ts';
import { writeOptions } from '../api/options.ts';
import { writtenName } from '../controllers/audit.ts';
import { cascadeFrom, deleteCascade, type Reached } from '../controllers/cascade.ts';
import type { Context } from '../controllers/controller.ts';
import { keys } from '../store/keys.ts';

interface Request {
  objects: { kind: string; namespace?: string; name: string }[];
  dryRun?: boolean;
  /** How many objects the person has agreed to. */
  expect?: number;
}

export function cascadeExtension(context: Context): Extension {
  return {
    method: 'POST',
    path: '/apis/plumb.dev/v1/cascades',
    triesDryRun: true,
    async handle(request) {
      const asked = writeOptions(request.query, 'CreateOptions');
      const { objects, expect, ...sent } = checked(await request.json());
      const dryRun = asked.dryRun || sent.dryRun;
      const roots = objects.map(({ kind: name, namespace, name: object }) => {
        const kind = kindByName(name);
        if (!kind) throw terminal('BadRequest', `there is no kind ${shown(name)}`);
        return keys.object(kind.plural, kind.scope === 'Namespaced' ? (namespace ?? 'default') : undefined, object);
      });
      const reached = dryRun ? cascadeFrom(context, roots) : await deleteCascade(context, roots, expect);
      return {
        body: { apiVersion: 'plumb.dev/v1', kind: 'CascadeList', metadata: {}, items: reached.map(view) },
        wrote: dryRun ? false : reached.map(({ cached }) => ({ verb: 'delete', object: writtenName(cached.key) })),
      };
    },
  };
}

function checked(body: unknown): Request {
  const { objects, dryRun = false, expect, ...others } = (body ?? {}) as Partial<Request>;
  // A wish that is not understood must not end in a deletion that was meant to be tried.
  const unknown = Object.keys(others);
  if (unknown.length > 0)
    throw terminal('BadRequest', `${shown(unknown[0])} is not known: send objects, dryRun, expect`);
  if (typeof dryRun !== 'boolean') throw terminal('BadRequest', 'dryRun must be true or false');
  const named =
    Array.isArray(objects) &&
    objects.every(
      (o) =>
        typeof o?.kind === 'string' &&
        typeof o?.name === 'string' &&
        (o.namespace === undefined || typeof o.namespace === 'string'),
    );
  if (!named) throw terminal('BadRequest', 'objects must be a list of { kind, namespace, name }');
  if (expect !== undefined && typeof expect !== 'number') throw terminal('BadRequest', 'expect must be a number');
  return { objects, dryRun, ...(expect === undefined ? {} : { expect }) };
}

function view({ cached: { object }, because }: Reached) {
  const { name, namespace, uid } = object.metadata;
  return { kind: object.kind, name, uid, because, ...(namespace ? { namespace } : {}) };
}

/** `POST /apis/plumb.dev/v1/cascades`: deletes objects with all that refers to them; with `dryRun` only says which. */
import { groupOf, kindByName, terminal } from '@plumb/schemas';
import type { ValueOf } from '@plumb/schemas/kinds/define.ts';
import { shown } from '@plumb/schemas/project/shown.ts';
import { type Extension, taking } from '../api/extension.ts';
import { writtenName } from '../controllers/audit.ts';
import { cascadeFrom, deleteCascade, expectUnprotected, type Reached } from '../controllers/cascade.ts';
import type { Context } from '../controllers/controller.ts';
import { keys } from '../store/keys.ts';

const CASCADE = {
  type: 'object',
  additionalProperties: false,
  required: ['objects'],
  properties: {
    objects: {
      type: 'array',
      minItems: 1,
      description: 'The objects to begin with.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['kind', 'name'],
        properties: {
          kind: { type: 'string', description: 'The kind.' },
          namespace: { type: 'string', description: 'The project; default, if absent.' },
          name: { type: 'string', description: 'The name.' },
        },
      },
    },
    dryRun: { type: 'boolean', description: 'Whether nothing is to be deleted.' },
    expect: { type: 'integer', minimum: 0, description: 'How many objects the person has agreed to.' },
  },
} as const;

export function cascadeExtension(context: Context): Extension {
  return {
    method: 'POST',
    path: '/apis/plumb.dev/v1/cascades',
    triesDryRun: true,
    // A wish that is not understood must not end in a deletion that was meant to be tried.
    strict: true,
    judges: true,
    ...taking(CASCADE, async ({ objects, expect, ...sent }: ValueOf<typeof CASCADE>, asked) => {
      const dryRun = asked.dryRun || sent.dryRun === true;
      const roots = objects.map(({ kind: name, namespace, name: object }) => {
        const kind = kindByName(name);
        if (!kind) throw terminal('BadRequest', `there is no kind ${shown(name)}`);
        const where = kind.scope === 'Namespaced' ? (namespace ?? 'default') : undefined;
        asked.authorize({
          verb: 'delete',
          group: groupOf(kind),
          resource: kind.plural,
          namespace: where ?? '',
          name: object,
        });
        return keys.object(kind.plural, where, object);
      });
      // To try it one must be allowed to do it: else it would tell what depends on the objects, and in which projects.
      const judge = (all: readonly Reached[]) => {
        for (const { cached } of all) {
          const { namespace = '', name } = cached.object.metadata;
          asked.authorize({
            verb: 'delete',
            group: groupOf(cached.kind),
            resource: cached.kind.plural,
            namespace,
            name,
          });
        }
      };
      const reached = dryRun ? cascadeFrom(context, roots) : await deleteCascade(context, roots, expect, judge);
      if (dryRun) {
        judge(reached);
        expectUnprotected(reached);
      }
      return {
        body: { apiVersion: 'plumb.dev/v1', kind: 'CascadeList', metadata: {}, items: reached.map(view) },
        wrote: dryRun ? false : reached.map(({ cached }) => ({ verb: 'delete', object: writtenName(cached.key) })),
      };
    }),
  };
}

function view({ cached: { object }, because }: Reached) {
  const { name, namespace, uid } = object.metadata;
  return { kind: object.kind, name, uid, because, ...(namespace ? { namespace } : {}) };
}

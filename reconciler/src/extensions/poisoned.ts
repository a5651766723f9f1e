/** `/apis/plumb.dev/v1/poisoned`: what in the store was set aside, why, and the end of a record that no object has. */
import { terminal } from '@plumb/schemas';
import type { Extension } from '../api/extension.ts';
import type { Context } from '../controllers/controller.ts';
import { dropRecord } from '../controllers/drop-record.ts';
import { lookAtRecords } from '../controllers/records.ts';
import { isUnheldClaim, unheldClaims } from '../controllers/unheld-claims.ts';
import type { PoisonedView } from '../runtime/poisoned.ts';
import { isKeyOf } from '../store/examine.ts';
import { parseObjectKey } from '../store/keys.ts';

const PATH = '/apis/plumb.dev/v1/poisoned';

export function poisonedExtensions(context: Context): Extension[] {
  const { cache, read, store, limits } = context;
  return [
    {
      method: 'GET',
      path: PATH,
      async handle() {
        await lookAtRecords(store, cache.poisoned);
        const items: unknown[] = [];
        for (const one of cache.poisoned.all((key) => read.get(key)))
          if (items.push(view(one)) >= limits.poisonedShown) break;
        const unheld = await unheldClaims(context, limits.poisonedShown - items.length);
        for (const { key, uid } of unheld)
          items.push(view({ key, kind: undefined, uid, where: key, what: unheldBy(uid) }));
        const metadata = { objects: cache.poisoned.objects, records: cache.poisoned.records };
        return { body: { apiVersion: 'plumb.dev/v1', kind: 'PoisonedList', metadata, items } };
      },
    },
    {
      method: 'DELETE',
      path: `${PATH}/{key}`,
      async handle({ params }) {
        const key = params.key!;
        const aside = cache.poisoned.get(key);
        // Where no object can lie no client can name it, so it cannot be deleted as any other.
        const isNobodys = aside !== undefined && !isKeyOf(aside.kind, key);
        if (!isNobodys && !cache.poisoned.hasRecord(key) && !isUnheldClaim(context, key))
          throw terminal(
            'NotFound',
            `there is no record ${key} that cannot be read; an object that cannot be understood is deleted as any other`,
          );
        await dropRecord(context, key);
        return {
          body: { kind: 'Status', apiVersion: 'v1', status: 'Success' },
          wrote: [{ verb: 'delete', object: key }],
        };
      },
    },
  ];
}

function unheldBy(uid: string): string {
  return `is held for ${uid}, of which there is no object, no flow and nothing on any host`;
}

function view({ key, kind, uid, where, what }: PoisonedView) {
  // Where no object can lie, none can be asked for: it is a record.
  const place = kind && isKeyOf(kind, key) ? parseObjectKey(key) : undefined;
  return {
    apiVersion: 'plumb.dev/v1',
    kind: 'Poisoned',
    metadata: { name: key },
    ...(kind && place
      ? {
          object: {
            kind: kind.kind,
            ...(place.namespace ? { namespace: place.namespace } : {}),
            name: place.name,
            uid,
          },
        }
      : {}),
    where,
    what,
  };
}

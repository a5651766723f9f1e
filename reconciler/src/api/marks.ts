/**
 * The marks of objects that are being made (cf. schemas/src/meta/pending.ts): a mark is set when an object is made, and by nothing else, since
 * an object that bears one and is not renewed is deleted. Who may change an object must not come to delete it by that.
 */
import { type FieldError, type PlumbError, type PlumbObject, terminal } from '@plumb/schemas';
import { PENDING, pendingOf, withPending } from '@plumb/schemas/meta/pending.ts';
import { invalid } from './failure.ts';
import type { WritableResource } from './resource.ts';

/** The new object with the name of who makes it in its mark, if it has one. Throws PlumbError `Invalid` for a mark that cannot be read. */
export function markedNew(resource: WritableResource, object: PlumbObject, user: string): PlumbObject {
  if (object.metadata.annotations?.[PENDING] === undefined) return object;
  const mark = pendingOf(object);
  if (mark?.phase !== 'making') throw refused(resource, object, 'is no mark of an object that is being made');
  return withPending(object, { ...mark, user });
}

/** The changed object, whose mark says who made it as before. Throws PlumbError `Invalid`, or `Forbidden` for another user's mark. */
export function markedChange(
  resource: WritableResource,
  before: PlumbObject,
  after: PlumbObject,
  user: string,
): PlumbObject {
  const text = after.metadata.annotations?.[PENDING];
  // Without it the object stays, which everyone may say who may change it.
  if (text === undefined || text === before.metadata.annotations?.[PENDING]) return after;
  const [was, is] = [pendingOf(before), pendingOf(after)];
  if (!was) throw refused(resource, after, 'is set when an object is made, and by nothing else');
  if (!is) throw refused(resource, after, 'is no mark of an object that is being made');
  if (was.user !== user)
    throw terminal('Forbidden', `the object is being made by another user, who alone may change ${PENDING}`);
  return withPending(after, { ...is, user });
}

function refused({ kind, group }: WritableResource, { metadata }: PlumbObject, message: string): PlumbError {
  const errors: FieldError[] = [{ field: `metadata.annotations[${PENDING}]`, message }];
  return invalid(kind, group, metadata.name, errors);
}

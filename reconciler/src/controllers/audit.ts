/** What controllers write to objects because a person asked for it, for the audit log. */
import { API_GROUP } from '@plumb/schemas/meta/object.ts';
import { parseObjectKey } from '../store/keys.ts';

/** A write, as the audit log has it. */
export interface Wrote {
  /** For what it was done. */
  user: string;
  verb: 'create' | 'update' | 'delete';
  object: string;
  code: number;
}

/** `instances.plumb.dev/default/web-0`, of the object at the key. */
export function writtenName(key: string): string {
  const { plural = '', namespace = '', name = key } = parseObjectKey(key) ?? {};
  return [`${plural}.${API_GROUP}`, namespace, name].filter((part) => part !== '').join('/');
}

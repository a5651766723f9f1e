/** What people call an object of a placed kind. */
import { kinds } from '@plumb/schemas';
import { nameOfKey, pluralOf } from '../../store/keys.ts';

/** As commands take it: `instance/web/web-0`. */
export function calledInCommands(key: string): string {
  const kind = kinds.find(({ plural }) => plural === pluralOf(key));
  return `${kind?.singular ?? pluralOf(key)}/${nameOfKey(key)}`;
}

import { pages } from '@plumb/client/pages.ts';
import type { TerraformKind } from '@plumb/schemas/project/terraform.ts';
import type { Session } from '../session.ts';
import { dataOf } from '../value/object.ts';
import { selectedBy } from '../value/selection.ts';
import type { ObjectValue } from '../value/value.ts';
import { dynamic } from '../wire/convert.ts';
import type { DynamicValue } from '../wire/messages.ts';
import { READ_MS } from './read.ts';

/** The state of a plural data source: what there is now, ordered by project and name. */
export async function readMany(kind: TerraformKind, wanted: ObjectValue, session: Session): Promise<DynamicValue> {
  const limit = session.client.deadline(READ_MS);
  const items: ObjectValue[] = [];
  try {
    for await (const object of pages(session.client, selectedBy(kind, wanted), limit)) items.push(dataOf(kind, object));
  } finally {
    limit.end();
  }
  const key = ({ project, name }: ObjectValue) => `${String(project ?? '')}/${String(name)}`;
  items.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return dynamic({ ...wanted, names: items.map(({ name }) => name!), items }, kind.plural);
}

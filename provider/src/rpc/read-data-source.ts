import { readObject, title } from '@plumb/client/objects.ts';
import { terminal } from '@plumb/schemas';
import { DEFAULT_PROJECT } from '@plumb/schemas/project/terraform.ts';
import { kindOfPlural, kindOfType } from '../resources.ts';
import { unfinished } from '../unfinished.ts';
import { dataOf, referenceOf } from '../value/object.ts';
import { UNKNOWN } from '../value/value.ts';
import { dynamic, objectIn, wireDiagnostics } from '../wire/convert.ts';
import type { DynamicValue, ReadDataReply, ReadDataRequest } from '../wire/messages.ts';
import { PROVIDER_UNKNOWN, READ_MS } from './read.ts';
import { readMany } from './read-many.ts';
import { guarded } from './rpc.ts';

/** The object of that name as it is now. That there is none is an error. */
export const readDataSource = guarded<ReadDataRequest, ReadDataReply>(
  'The data source cannot be read',
  async ({ typeName, config, clientCapabilities }, session) => {
    if (session.putsOff(clientCapabilities)) return { state: notKnown(typeName, config), deferred: PROVIDER_UNKNOWN };
    const many = kindOfPlural(typeName);
    if (many) return { state: await readMany(many, objectIn(config, many.plural) ?? {}, session) };
    const kind = kindOfType(typeName);
    const wanted = objectIn(config, kind.dataSource) ?? {};
    const ref = referenceOf(kind, { ...wanted, project: wanted.project ?? DEFAULT_PROJECT });
    const limit = session.client.deadline(READ_MS);
    try {
      const live = await readObject(session.client, ref, limit);
      if (!live) throw terminal('NotFound', `There is no ${title(ref)}.`);
      // A warning, no error: what stands on it must still be read to be destroyed, and it waits for that.
      const diagnostics = wireDiagnostics(unfinished(kind, live, session));
      return { state: dynamic(dataOf(kind, live), kind.dataSource), diagnostics };
    } finally {
      limit.end();
    }
  },
);

/** The state of a data source that is read later: what the server would say is unknown. */
function notKnown(typeName: string, config: DynamicValue): DynamicValue {
  const attributes = kindOfPlural(typeName)?.plural ?? kindOfType(typeName).dataSource;
  const wanted = objectIn(config, attributes) ?? {};
  const state = attributes.map(({ name, computed }) => [name, wanted[name] ?? (computed ? UNKNOWN : null)]);
  return dynamic(Object.fromEntries(state), attributes);
}

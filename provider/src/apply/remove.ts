/** Deleting: by uid, and it ends when the object is gone. */

import type { Client } from '@plumb/client/client.ts';
import { title } from '@plumb/client/objects.ts';
import { untilGone } from '@plumb/client/ready.ts';
import type { TerraformKind } from '@plumb/schemas/project/terraform.ts';
import { errorDiagnostics } from '../diagnostic.ts';
import { referenceOf, timeoutOf, uidOf } from '../value/object.ts';
import type { ObjectValue } from '../value/value.ts';
import type { Outcome } from './outcome.ts';

export async function remove(client: Client, kind: TerraformKind, prior: ObjectValue): Promise<Outcome> {
  const ref = referenceOf(kind, prior);
  const uid = uidOf(prior);
  // A state without a uid speaks of no object that Terraform has ever seen.
  if (uid === undefined) return { state: null, diagnostics: [] };
  const limit = client.deadline(timeoutOf(prior, 'delete'));
  try {
    await untilGone(client, ref, uid, limit);
    return { state: null, diagnostics: [] };
  } catch (error) {
    return { state: prior, diagnostics: errorDiagnostics(error, `${title(ref)} is not deleted`, kind) };
  } finally {
    limit.end();
  }
}

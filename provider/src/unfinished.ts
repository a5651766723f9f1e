/** Warnings about objects that are not as they were declared: whoever runs Terraform sees why there is a change. */

import { title } from '@plumb/client/objects.ts';
import { settled } from '@plumb/client/settled.ts';
import type { PlumbObject } from '@plumb/schemas';
import type { TerraformKind } from '@plumb/schemas/project/terraform.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { Session } from './session.ts';
import { isUnfinished, referenceOf, uidOf } from './value/object.ts';
import type { Private } from './value/private.ts';
import type { ObjectValue } from './value/value.ts';

type Told = Pick<Session, 'told'>;

/** Of an object as the server has it. */
export function unfinished({ kind }: TerraformKind, object: PlumbObject, { told }: Told): Diagnostic[] {
  const { name, namespace, uid, deletionTimestamp } = object.metadata;
  const named = title({ kind, name, ...(namespace === undefined ? {} : { namespace }) });
  if (deletionTimestamp !== undefined) {
    const ready = object.status?.conditions?.find(({ type }) => type === 'Ready');
    const waits = ready && ready.status !== 'True' ? ` It says: ${ready.reason}: ${sentence(ready.message)}` : '';
    told.add(uid);
    return [deleting(named, waits)];
  }
  const now = settled(object);
  if (now.state === 'ready') return [];
  told.add(uid);
  const what = now.message === '' ? 'No controller has said anything about it yet.' : sentence(now.message);
  return [warning(`${named} is not as declared: ${now.reason}`, `${what} ${STAYS}`)];
}

/** Of a state that was not read in this run, as with -refresh=false. */
export function unfinishedWarnings(
  kind: TerraformKind,
  prior: ObjectValue,
  kept: Private,
  { told }: Told,
): Diagnostic[] {
  const uid = uidOf(prior);
  if (uid !== undefined && told.has(uid)) return [];
  const named = title(referenceOf(kind, prior));
  if (kept.deleting) return [deleting(named, '')];
  return isUnfinished(prior) || kept.unready
    ? [warning(`${named} was not as declared when it was last seen`, STAYS)]
    : [];
}

const STAYS = 'Until it is, every plan shows a change of it, and an apply waits for it.';

function deleting(named: string, waits: string): Diagnostic {
  return warning(
    `${named} is being deleted`,
    `Nothing can undo that.${waits} An apply waits until it is gone; where it is still declared, it is created anew.`,
  );
}

function warning(summary: string, detail: string): Diagnostic {
  return { severity: 'warning', summary, detail };
}

function sentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

/** A domain of the name that is needed lives on the host already: whose it is, and what a person can do about it. */
import { objectName, PlumbError } from '@plumb/schemas';
import type { PlanStep } from '../../plan/plan.ts';
import type { Context } from '../controller.ts';

/** The error with a way out, where it is that the name is taken by a domain that Plumb made; any other as it is. */
export function withHolder(context: Context, { host, resource }: PlanStep, error: PlumbError): PlumbError {
  if (error.reason !== 'NameTaken' || resource.kind !== 'domain') return error;
  const holder = holderOf(context, host, resource.spec.name, resource.id);
  if (!holder) return error;
  const { reason, retry, cause } = error;
  const message = `a domain named ${resource.spec.name} is still on host ${host}; ${wayOut(context, host, holder)}`;
  return new PlumbError({ reason, message, retry, cause });
}

interface Holder {
  id: string;
  owner: string;
}

function holderOf(context: Context, host: string, name: string, id: string): Holder | undefined {
  for (const live of context.fleet.host(host)?.resources.values() ?? [])
    if (live.kind === 'domain' && live.spec.name === name && live.id !== id) return { id: live.id, owner: live.owner };
  return undefined;
}

function wayOut(context: Context, host: string, { id, owner }: Holder): string {
  const object = context.read.byUid(owner)?.object;
  if (object?.metadata.deletionTimestamp)
    return `${object.kind} ${objectName(object.metadata)}, whose it is, is being deleted, and it goes with it`;
  if (object) return `it is that of ${object.kind} ${objectName(object.metadata)}, which has to go first`;
  return `it belongs to no object in the store, so it is an orphan and left alone (plumb orphans list ${host}). If it is not needed: plumb orphans remove ${host} domain/${id}; then this instance goes on by itself. Otherwise declare this one under another name`;
}

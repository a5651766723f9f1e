/**
 * The audit log: one line for every write, whether it was taken or refused: who, verb, object, code. What was written is not in
 * it: that may be secret. A dry run writes nothing, and has no line; nor has a request of somebody who is not known.
 */
import { printable } from '@plumb/schemas/meta/printable.ts';
import type { Reply } from './reply.ts';
import type { ApiRequest } from './request.ts';

export interface Write {
  /** Name of the user; of a controller that writes for one, what it does that for. */
  user: string;
  /** Whom it was done as, if that is somebody else. */
  as?: string;
  verb: string;
  /** `instances.plumb.dev/default/web-0`, or the path of what is no object. */
  object: string;
  /** HTTP status code. */
  code: number;
  /** Where it came from, if by a request. */
  address?: string;
}

export type Audit = (write: Write) => void;

/** Longest part of a line; names that are taken are shorter. */
const MOST = 320;
const PLAIN = /^[\w./:@%-]+$/;
const READS: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

/** `audit user=admin verb=create object=zones.plumb.dev/home code=201 from=127.0.0.1` */
export function auditLine({ user, as, verb, object, code, address }: Write): string {
  const parts = {
    user,
    ...(as === undefined ? {} : { as }),
    verb,
    object,
    code: String(code),
    ...(address === undefined ? {} : { from: address }),
  };
  return `audit ${Object.entries(parts)
    .map(([name, value]) => `${name}=${word(value)}`)
    .join(' ')}`;
}

/** One word, whatever the text is: what a client made up cannot look like another field. */
function word(text: string): string {
  const shown = printable(text, MOST);
  return PLAIN.test(shown) ? shown : JSON.stringify(shown);
}

/** What of a resource was asked for. */
export interface Audited {
  verb: string | undefined;
  group: string;
  plural: string;
  namespace: string | undefined;
  name: string;
  subresource: string | undefined;
  /** Reads are noted as well: what is read is secret. */
  reads?: true;
}

/** Notes the request, if it was one to write. `target`: undefined when it names no resource. */
export function auditRequest(audit: Audit, request: ApiRequest, reply: Reply, target: Audited | undefined): void {
  const { method, user, actor, source, wrote } = request;
  if (!user || (READS.includes(method) && !target?.reads) || wrote === false) return;
  const who = actor ? { user: actor.name, as: user.name } : { user: user.name };
  const common = { ...who, code: reply.status, address: source.address };
  if (target) audit({ ...common, verb: target.verb ?? method.toLowerCase(), object: objectOf(target) });
  else audit({ ...common, verb: method.toLowerCase(), object: request.path.replace(/^\/apis\//, '') });
  for (const { verb, object } of wrote ?? []) audit({ ...common, verb, object });
}

function objectOf({ group, plural, namespace, name, subresource }: Audited): string {
  const resource = group === '' ? plural : `${plural}.${group}`;
  return [resource, namespace, name, subresource].filter((part) => part !== undefined && part !== '').join('/');
}

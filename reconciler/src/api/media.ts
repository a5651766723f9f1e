/** In which encoding an answer goes out: JSON or YAML, as the client's Accept header prefers. */
import { stringify } from 'yaml';
import type { Reply } from './reply.ts';
import { JSON_TYPE } from './reply.ts';

export const YAML_TYPE = 'application/yaml';

/** A media type with its parameters. */
export interface Accepted {
  type: string;
  parameters: ReadonlyMap<string, string>;
}

/** What the header accepts, the most preferred first (RFC 9110 section 12.5.1). */
export function acceptedOf(header: string): Accepted[] {
  const clauses = header.split(',').map((clause) => {
    const [type = '', ...rest] = clause.split(';').map((part) => part.trim());
    const parameters = new Map(rest.map((part) => part.split('=', 2) as [string, string]));
    const q = Number(parameters.get('q') ?? 1);
    return { type: type.toLowerCase(), parameters, q: Number.isFinite(q) ? q : 1 };
  });
  return clauses.sort((a, b) => b.q - a.q);
}

/** Whether YAML is preferred to JSON. */
export function wantsYaml(header: string): boolean {
  if (!header.includes('yaml')) return false;
  for (const { type } of acceptedOf(header)) {
    if (type === YAML_TYPE) return true;
    if (type === JSON_TYPE || type === 'application/*' || type === '*/*') return false;
  }
  return false;
}

/** What is longer stays JSON, which is YAML, too: to write it in lines would take the server's time from others. */
const MOST_IN_LINES = 256 * 1024;

/** The reply as YAML. */
export function asYaml(reply: Reply): Reply {
  if (reply.type !== JSON_TYPE) return reply;
  if (typeof reply.body !== 'string' || reply.body.length > MOST_IN_LINES) return { ...reply, type: YAML_TYPE };
  return { ...reply, type: YAML_TYPE, body: stringify(JSON.parse(reply.body), { version: '1.1', lineWidth: 0 }) };
}

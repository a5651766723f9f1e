/**
 * Sentences of programs, libraries and hosts may repeat what they were given. What of it is secret is said by the schema of what
 * was given ({@link secretsIn}), and is taken out of the sentence wherever it stands ({@link scrub}).
 */
import { HIDDEN, holdsSecrets, propertyOf } from './conceal.ts';
import type { SchemaNode } from './validate-schema.ts';

/** So many characters in a row of a long secret are a part of it, and no chance. */
const RUN = 10;
/** What is shorter stands in any sentence. */
const LEAST = 3;
/** No field that is secret takes more; a host may claim that it does. */
const MOST = 1 << 17;

/** The secret texts in a value: user data whole, of URLs name, password, query and fragment. */
export function secretsIn(schema: SchemaNode | undefined, value: unknown): string[] {
  if (schema === undefined || value === undefined || value === null || !holdsSecrets(schema)) return [];
  const sensitive = schema['x-plumb-sensitive'];
  if (sensitive === 'url') return typeof value === 'string' ? partsOfUrl(value) : textsIn(value);
  if (sensitive) return textsIn(value);
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => secretsIn(propertyOf(schema, key), inner));
}

/** The text without what it repeats of the secrets. */
export function scrub(text: string, secrets: readonly string[]): string {
  let rest = text;
  for (const secret of secrets) {
    if (secret.length < LEAST || secret.length > MOST) continue;
    rest = secret.length <= RUN ? rest.replaceAll(secret, HIDDEN) : withoutRuns(rest, secret);
  }
  return rest;
}

function withoutRuns(text: string, secret: string): string {
  let kept = '';
  let at = 0;
  while (at + RUN <= text.length) {
    if (!secret.includes(text.slice(at, at + RUN))) {
      kept += text[at++];
      continue;
    }
    let end = at + RUN;
    // What follows may be of another place of the secret.
    while (end < text.length && secret.includes(text.slice(end - RUN + 1, end + 1))) end++;
    kept += HIDDEN;
    at = end;
  }
  return kept + text.slice(at);
}

function partsOfUrl(text: string): string[] {
  const url = URL.parse(text);
  if (url === null) return [text];
  const parts = [url.username, url.password, url.search.slice(1), url.hash.slice(1)];
  const values = [...url.searchParams.values()];
  return [...parts, ...parts.map(decoded), ...values].filter((part) => part !== '');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

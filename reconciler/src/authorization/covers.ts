/**
 * Whether rules give everything that other rules give: a user may not hand out rights that they lack. As Kubernetes does it, each
 * wanted rule is broken into single verbs, resources and names, and each piece must be given by one rule that is held.
 */
import type { PolicyRule } from './policy.ts';
import { withoutStars } from './rules.ts';

/** Everything that can be done. */
export const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/** The pieces of `wanted` that no rule of `held` gives. */
export function uncovered(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): Piece[] {
  return wanted.flatMap(piecesOf).filter((piece) => !held.some((rule) => covers(rule, piece)));
}

/** A rule with one verb, and with one resource, at most one name, or one path. */
export type Piece =
  | { verb: string; group: string; resource: string; name: string | undefined }
  | { verb: string; url: string };

function piecesOf(rule: PolicyRule): Piece[] {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const wantedNames = resourceNames.length > 0 ? resourceNames : [undefined];
  const pieces: Piece[] = [];
  for (const group of apiGroups)
    for (const resource of resources)
      for (const verb of verbs) for (const name of wantedNames) pieces.push({ verb, group, resource, name });
  for (const url of nonResourceURLs) for (const verb of verbs) pieces.push({ verb, url });
  return pieces;
}

function covers(rule: PolicyRule, piece: Piece): boolean {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  if (!verbs.includes('*') && !verbs.includes(piece.verb)) return false;
  if ('url' in piece) return resourceNames.length === 0 && nonResourceURLs.some((held) => coversPath(held, piece.url));
  return (
    (apiGroups.includes('*') || apiGroups.includes(piece.group)) &&
    coversResource(resources, piece.resource) &&
    (resourceNames.length === 0 || (piece.name !== undefined && resourceNames.includes(piece.name)))
  );
}

function coversResource(held: readonly string[], wanted: string): boolean {
  if (held.includes('*') || held.includes(wanted)) return true;
  const slash = wanted.indexOf('/');
  return slash >= 0 && held.includes(`*/${wanted.slice(slash + 1)}`);
}

function coversPath(held: string, wanted: string): boolean {
  return held === wanted || (held.endsWith('*') && wanted.startsWith(withoutStars(held)));
}

/** `{APIGroups:["plumb.dev"], Resources:["zones"], Verbs:["get" "list"]}`: pieces that differ by verb alone are told as one. */
export function shownPieces(pieces: readonly Piece[]): string[] {
  const grouped = Map.groupBy(pieces, (piece) => JSON.stringify({ ...piece, verb: undefined }));
  return [...grouped.values()].map((alike) => shownPiece(alike)).sort();
}

function shownPiece(alike: readonly Piece[]): string {
  const [piece] = alike as [Piece];
  const list = (words: readonly string[]) => `[${words.map((word) => JSON.stringify(word)).join(' ')}]`;
  const verbs = `Verbs:${list(alike.map(({ verb }) => verb))}`;
  if ('url' in piece) return `{NonResourceURLs:${list([piece.url])}, ${verbs}}`;
  const named = piece.name === undefined ? '' : `ResourceNames:${list([piece.name])}, `;
  return `{APIGroups:${list([piece.group])}, Resources:${list([piece.resource])}, ${named}${verbs}}`;
}

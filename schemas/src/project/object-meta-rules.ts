/**
 * What metadata must be, in the words of Kubernetes (apimachinery, api/validation/objectmeta.go), once it can be read: of a new
 * object, and of one that takes the place of another.
 */

import { isBuiltin, type KindDefinition } from '../kinds/define.ts';
import type { ServerLimits } from '../limits/server.ts';
import type { FieldError } from '../meta/error.ts';
import { nameRules, objectMeta, SEGMENT_PATTERN } from '../meta/schema.ts';
import {
  dnsLabelProblems,
  labelKeyProblems,
  labelValueProblems,
  segmentProblems,
  subdomainProblems,
} from '../selectors/label-rules.ts';
import { quoted } from './validate-kubernetes-words.ts';
import type { Mistakes } from './validate-mistakes.ts';

export interface OwnerReference {
  apiVersion?: string | undefined;
  kind?: string | undefined;
  name?: string | undefined;
  uid?: string | undefined;
  controller?: boolean | null;
  blockOwnerDeletion?: boolean | null;
}

/** Metadata that can be read; what is null is not there. */
export interface ReadMetadata {
  name?: string | undefined;
  generateName?: string | undefined;
  uid?: string | undefined;
  deletionTimestamp?: string | undefined;
  deletionGracePeriodSeconds?: number | undefined;
  labels?: Record<string, string> | undefined;
  annotations?: Record<string, string> | undefined;
  finalizers?: string[] | undefined;
  ownerReferences?: (OwnerReference | null)[] | undefined;
  managedFields?: unknown[] | undefined;
}

export type MetadataLimits = Pick<ServerLimits, 'annotationBytes' | 'labelBytes'>;
export type NameProblems = (name: string) => string[];

/** Of the finalizers that say what becomes of what an object owns, an object has one. */
const POLICIES = ['orphan', 'foregroundDeletion'] as const;

/** Finalizers and owners of one object. */
const MOST_ITEMS: number = objectMeta.properties.finalizers.maxItems;

const invalid = (field: string, value: unknown, rule: string): FieldError => ({
  field: `metadata.${field}`,
  message: `Invalid value: ${quoted(value)}: ${rule}`,
});

/** Notes a mistake; what is not told needs no sentence. */
function refuse(into: Mistakes, field: string, value: unknown, rule: string): void {
  if (into.isFull) into.addUntold(1);
  else into.take([invalid(field, value, rule)]);
}

/** What a new object's metadata breaks. Its name was generated, where it is to be. */
export function judgeNewMetadata(
  metadata: ReadMetadata,
  problems: NameProblems,
  limits: MetadataLimits,
  into: Mistakes,
): void {
  const { name = '', generateName = '' } = metadata;
  // A prefix may end in a dash.
  if (generateName !== '')
    for (const rule of problems(generateName.replace(/^(.+).-$/s, '$1a')))
      refuse(into, 'generateName', generateName, rule);
  if (name === '') {
    const message = 'Required value: name or generateName is required';
    into.take([{ field: 'metadata.name', message, reason: 'FieldValueRequired' }]);
  } else for (const rule of problems(name)) refuse(into, 'name', name, rule);
  judgeCommon(metadata, limits, into);
}

/** What breaks the metadata of an object that takes the place of `before`. */
export function judgeChangedMetadata(
  metadata: ReadMetadata,
  before: ReadMetadata,
  limits: MetadataLimits,
  into: Mistakes,
): void {
  if (before.deletionTimestamp !== undefined) into.take(newFinalizers(metadata, before));
  const fixed = (field: 'uid' | 'deletionTimestamp' | 'deletionGracePeriodSeconds', wanted: unknown) => {
    if (wanted !== undefined && wanted !== before[field]) refuse(into, field, wanted, 'field is immutable');
  };
  fixed('uid', metadata.uid || undefined);
  const { deletionTimestamp } = metadata;
  const isSameTime =
    deletionTimestamp !== undefined &&
    before.deletionTimestamp !== undefined &&
    Date.parse(deletionTimestamp) === Date.parse(before.deletionTimestamp);
  if (!isSameTime) fixed('deletionTimestamp', deletionTimestamp);
  fixed('deletionGracePeriodSeconds', metadata.deletionGracePeriodSeconds);
  judgeCommon(metadata, limits, into);
}

function judgeCommon(metadata: ReadMetadata, { labelBytes, annotationBytes }: MetadataLimits, into: Mistakes): void {
  const { ownerReferences = [], finalizers = [] } = metadata;
  const isLong = { ownerReferences: ownerReferences.length > MOST_ITEMS, finalizers: finalizers.length > MOST_ITEMS };
  // What is too large is not looked into.
  if (!bound('labels', metadata.labels, labelBytes))
    for (const [key, value] of Object.entries(metadata.labels ?? {})) {
      for (const rule of labelKeyProblems(key)) refuse(into, 'labels', key, rule);
      for (const rule of labelValueProblems(value)) refuse(into, 'labels', value, rule);
    }
  // In annotations the case of a prefix does not count.
  if (!bound('annotations', metadata.annotations, annotationBytes))
    for (const key of Object.keys(metadata.annotations ?? {}))
      for (const rule of labelKeyProblems(key.toLowerCase())) refuse(into, 'annotations', key, rule);
  if (isLong.ownerReferences) tooMany('ownerReferences', ownerReferences.length);
  else judgeOwners(ownerReferences, into);
  if (isLong.finalizers) {
    tooMany('finalizers', finalizers.length);
    return;
  }
  for (const finalizer of finalizers)
    for (const rule of labelKeyProblems(finalizer)) refuse(into, 'finalizers', finalizer, rule);
  if (POLICIES.every((policy) => finalizers.includes(policy)))
    refuse(into, 'finalizers', finalizers, `finalizer ${POLICIES.join(' and ')} cannot be both set`);

  function tooMany(field: string, count: number): void {
    const message = `Too many: ${count}: must have at most ${MOST_ITEMS} items`;
    into.take([{ field: `metadata.${field}`, message, reason: 'FieldValueTooMany' }]);
  }

  function bound(field: 'labels' | 'annotations', values: Record<string, string> | undefined, most: number): boolean {
    if (!values || !isLarger(values, most)) return false;
    const message = `Too long: may not be more than ${most} bytes`;
    into.take([{ field: `metadata.${field}`, message, reason: 'FieldValueTooLong' }]);
    return true;
  }
}

/** Keys and values together, as Kubernetes counts them. */
function isLarger(values: Record<string, string>, most: number): boolean {
  let bytes = 0;
  for (const [key, value] of Object.entries(values)) {
    // A character is a byte or more.
    if (bytes + key.length + value.length > most) return true;
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  return bytes > most;
}

function judgeOwners(owners: readonly (OwnerReference | null)[], into: Mistakes): void {
  let controller = '';
  for (const reference of owners) {
    const { apiVersion = '', kind = '', name = '', uid = '', controller: controls } = filled(reference);
    const [group, version] = groupVersion(apiVersion);
    const wrong = (field: string, value: unknown, rule: string) =>
      refuse(into, `ownerReferences.${field}`, value, rule);
    if (version === '') wrong('apiVersion', apiVersion, 'version must not be empty');
    if (kind === '') wrong('kind', kind, 'must not be empty');
    if (name === '') wrong('name', name, 'must not be empty');
    if (uid === '') wrong('uid', uid, 'must not be empty');
    if (group === '' && version === 'v1' && kind === 'Event')
      refuse(into, 'ownerReferences', inOrder(reference), '/v1, Kind=Event is disallowed from being an owner');
    if (controls !== true) continue;
    const found = `${kind}/${name}`;
    if (controller === '') controller = found;
    else {
      const rule = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${found}`;
      refuse(into, 'ownerReferences', owners.map(inOrder), rule);
    }
  }
}

function filled(reference: OwnerReference | null): OwnerReference {
  return Object.fromEntries(Object.entries(reference ?? {}).filter(([, value]) => value !== null));
}

/** As Kubernetes writes a reference. */
function inOrder(reference: OwnerReference | null): OwnerReference {
  const { apiVersion = '', kind = '', name = '', uid = '', controller, blockOwnerDeletion } = filled(reference);
  return {
    ...{ apiVersion, kind, name, uid },
    ...(controller === undefined ? {} : { controller }),
    ...(blockOwnerDeletion === undefined ? {} : { blockOwnerDeletion }),
  };
}

/** Both empty when the text is no version of a group. */
function groupVersion(apiVersion: string): [group: string, version: string] {
  const parts = apiVersion.split('/');
  if (parts.length > 2) return ['', ''];
  return parts.length === 2 ? [parts[0]!, parts[1]!] : ['', parts[0]!];
}

function newFinalizers({ finalizers = [] }: ReadMetadata, before: ReadMetadata): FieldError[] {
  const added = [...new Set(finalizers)].filter((finalizer) => !before.finalizers?.includes(finalizer)).sort();
  if (added.length === 0) return [];
  const found = added.map((finalizer) => quoted(finalizer)).join(', ');
  const rule = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${found}}`;
  return [{ field: 'metadata.finalizers', message: `Forbidden: ${rule}`, reason: 'FieldValueForbidden' }];
}

/** What is wrong with a name of the kind. */
export function nameProblems(kind: KindDefinition): NameProblems {
  if (isBuiltin(kind) && kind.names === undefined) return dnsLabelProblems;
  if (kind.names === 'segment') return segmentNameProblems;
  return (name) => subdomainProblems(name, 'characters');
}

const segment = new RegExp(SEGMENT_PATTERN);

/** Other signs than printable ones of ASCII cannot be stored here. */
function segmentNameProblems(name: string): string[] {
  const problems = segmentProblems(name);
  if (name.length > nameRules.segment.maxLength) problems.push('must be no more than 253 characters');
  if (problems.length > 0 || segment.test(name)) return problems;
  return [nameRules.segment.description];
}

const FINALIZERS: ReadonlySet<string> = new Set([...POLICIES, 'kubernetes']);

/** What a client is warned of: names that others may choose, too, and what stands twice. */
export function metadataWarnings({ finalizers = [], ownerReferences = [] }: ReadMetadata): string[] {
  const warnings: string[] = [];
  for (const finalizer of finalizers) {
    if (finalizer.includes('/') || FINALIZERS.has(finalizer)) continue;
    const how = finalizer.includes('.') ? 'name including a path (/)' : 'name';
    warnings.push(
      `metadata.finalizers: ${quoted(finalizer)}: prefer a domain-qualified finalizer ${how} to avoid accidental conflicts with other finalizer writers`,
    );
  }
  const twice = distinctOwners(ownerReferences).twice;
  if (twice.length > 0)
    warnings.push(
      `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${twice.join(', ')}`,
    );
  return warnings;
}

/** The references without those that stand there already, and the uids of these. */
export function distinctOwners(references: readonly (OwnerReference | null)[]): {
  distinct: (OwnerReference | null)[];
  twice: string[];
} {
  const seen = new Set<string>();
  const twice = new Set<string>();
  const distinct = references.filter((reference) => {
    const text = JSON.stringify(inOrder(reference));
    if (seen.has(text)) twice.add((reference?.uid ?? '').slice(0, 80));
    else return !!seen.add(text);
    return false;
  });
  return { distinct, twice: [...twice] };
}

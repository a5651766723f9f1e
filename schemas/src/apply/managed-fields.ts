/** `metadata.managedFields`: who owns what, as clients read it and as it is stored (metav1.ManagedFieldsEntry). */
import { byText } from './element.ts';
import { FieldSet, type FieldsV1 } from './field-set.ts';
import type { Owner } from './ownership.ts';
import { isRecord } from './type.ts';

export interface ManagedFieldsEntry {
  manager?: string;
  operation?: string;
  apiVersion?: string;
  /** When the manager last changed something (RFC 3339, whole seconds). */
  time?: string;
  fieldsType?: string;
  fieldsV1?: FieldsV1;
  subresource?: string;
}

/** What tells the entries of an object apart. An applier has one for all versions. */
export interface ManagerId {
  manager: string;
  operation: 'Apply' | 'Update';
  /** Absent for Apply. */
  apiVersion?: string;
  subresource?: string;
}

/** The owners of an object by their ids (see {@link idText}), with the version in which each wrote and when. */
export interface Managed {
  owners: Map<string, Owner>;
  versions: Map<string, string>;
  times: Map<string, string>;
}

export function noManaged(): Managed {
  return { owners: new Map(), versions: new Map(), times: new Map() };
}

/** The id as a text; equal ids are equal texts, and their order is that of Kubernetes. */
export function idText({ manager, operation, apiVersion, subresource }: ManagerId): string {
  return JSON.stringify({
    ...(manager === '' ? {} : { manager }),
    operation,
    ...(operation === 'Update' && apiVersion ? { apiVersion } : {}),
    ...(subresource ? { subresource } : {}),
  });
}

export function readId(id: string): ManagerId {
  return { manager: '', ...(JSON.parse(id) as Omit<ManagerId, 'manager'>) };
}

const OPERATIONS: readonly unknown[] = ['Apply', 'Update'];

/** Throws when an entry is none: of what cannot be read nothing is believed. */
export function decodeManaged(entries: unknown): Managed {
  const managed = noManaged();
  if (!Array.isArray(entries)) throw new Error('managedFields are no list');
  for (const entry of entries as unknown[]) {
    if (!isRecord(entry)) throw new Error('an entry is no object');
    const { manager = '', operation, apiVersion, fieldsType, fieldsV1, subresource = '', time } = entry;
    if (!OPERATIONS.includes(operation)) throw new Error('operation must be `Apply` or `Update`');
    if (typeof apiVersion !== 'string' || apiVersion === '') throw new Error('apiVersion must not be empty');
    if (fieldsType !== 'FieldsV1') throw new Error(`invalid fieldsType ${JSON.stringify(fieldsType)}`);
    if (typeof manager !== 'string' || typeof subresource !== 'string') throw new Error('an entry has no manager');
    const id = idText({ manager, operation: operation as ManagerId['operation'], apiVersion, subresource });
    managed.owners.set(id, {
      fields: FieldSet.fromFieldsV1(fieldsV1 ?? {}),
      applied: operation === 'Apply',
    });
    managed.versions.set(id, apiVersion);
    if (typeof time === 'string') managed.times.set(id, time);
    else managed.times.delete(id);
  }
  return managed;
}

/** The entries in Kubernetes' order: appliers first, each kind by time; undefined when there is none. */
export function encodeManaged({ owners, versions, times }: Managed): ManagedFieldsEntry[] | undefined {
  if (owners.size === 0) return undefined;
  const entries: ManagedFieldsEntry[] = [];
  for (const [id, { fields, applied }] of owners) {
    const { manager, subresource } = readId(id);
    const time = times.get(id);
    entries.push({
      manager,
      operation: applied ? 'Apply' : 'Update',
      apiVersion: versions.get(id)!,
      ...(time === undefined ? {} : { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: fields.toFieldsV1(),
      ...(subresource ? { subresource } : {}),
    });
  }
  return entries.length > 1 ? entries.sort(byEntry) : entries;
}

function byEntry(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  return (
    byText(a.operation!, b.operation!) ||
    secondsOf(a.time) - secondsOf(b.time) ||
    byText(a.manager!, b.manager!) ||
    byText(a.apiVersion!, b.apiVersion!) ||
    byText(a.subresource ?? '', b.subresource ?? '')
  );
}

export function secondsOf(time: string | undefined): number {
  const milliseconds = time === undefined ? 0 : Date.parse(time);
  return Number.isNaN(milliseconds) ? 0 : Math.floor(milliseconds / 1000);
}

/** Whether what a client sent as managedFields asks for them to be forgotten: no entries, or one without anything in it. */
export function isReset(entries: unknown): boolean {
  if (!Array.isArray(entries)) return false;
  return entries.length === 0 || (entries.length === 1 && isRecord(entries[0]) && Object.keys(entries[0]).length === 0);
}

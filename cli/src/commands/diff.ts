import type { PlumbObject } from '@plumb/schemas';
import { stayingFields } from '@plumb/schemas/apply/explain.ts';
import { type FieldChange, fieldChanges as serverChanges } from '@plumb/schemas/project/field-changes.ts';
import { shown } from '@plumb/schemas/project/shown.ts';
import { fieldChanges } from '../changes.ts';
import { type Command, inParallel, manifestsOf, parseCommand, type Session, withSession } from '../command.ts';
import { describeManifest, type Manifest } from '../manifests.ts';
import { objectPath } from '../resources.ts';
import { applyTo, MANAGER } from '../submit.ts';

const WIDTH = 64;

export const diff: Command = {
  usage: `plumb diff -f FILE-OR-FOLDER [-R] [-f …] | -k FOLDER [-n NAMESPACE]

Compares what is declared with what is stored. + is made, ~ is changed; fields that you leave out have their
defaults. Exit code 0 when nothing differs, 1 when something does, 2 on errors.
`,
  run(argv, surroundings) {
    const { values } = parseCommand(argv, {});
    return withSession(values, surroundings, async (session) => {
      const manifests = await manifestsOf(values, session, surroundings);
      const texts = await inParallel(manifests, WIDTH, async (manifest) => {
        const stored = await session.client.find(objectPath(manifest.resource, manifest.namespace, manifest.name));
        return stored ? changesOf(session, manifest, stored as PlumbObject) : difference(manifest, stored);
      });
      const changed = texts.filter((text) => text !== '');
      surroundings.out(changed.join(''));
      return changed.length === 0 ? 0 : 1;
    });
  },
};

/** What applying it over what is stored would change, told by the server; and what stays, since others own it. */
async function changesOf(session: Session, manifest: Manifest, stored: PlumbObject): Promise<string> {
  const after = await applyTo(session.client, manifest, { force: true, dryRun: true });
  const changes = serverChanges(manifest.resource.definition, stored, after);
  const staying = stayingFields(stored.metadata.managedFields, after.metadata.managedFields, MANAGER);
  if (changes.length === 0 && staying.length === 0) return '';
  const stays = staying.map(({ field, managers }) => `    ${field}: stays, owned by ${managers.join(' and ')}\n`);
  return `~ ${describeManifest(manifest)}\n${[...changes.flatMap(lines), ...stays].join('')}`;
}

/** Text of what differs; empty when nothing does. */
export function difference(manifest: Manifest, stored: Parameters<typeof fieldChanges>[1]): string {
  const changes = fieldChanges(manifest, stored);
  if (stored && changes.length === 0) return '';
  return `${stored ? '~' : '+'} ${describeManifest(manifest)}\n${changes.flatMap(lines).join('')}`;
}

function lines(change: FieldChange): string[] {
  const { field, from, to, sensitive } = change;
  if (sensitive)
    return [`    ${field}: ${from === undefined ? 'set' : to === undefined ? 'removed' : 'changed'} (not shown)\n`];
  if (from === undefined) return leaves(field, to).map(([path, value]) => `  + ${path}: ${value}\n`);
  if (to === undefined) return leaves(field, from).map(([path, value]) => `  - ${path}: ${value}\n`);
  return [`  ~ ${field}: ${shown(from)} → ${shown(to)}\n`];
}

/** What is new or gone as a whole is shown by its leaves. */
function leaves(field: string, value: unknown): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[field, shown(value)]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(`${field}.${key}`, inner));
}

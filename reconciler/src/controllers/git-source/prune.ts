/** What a commit does not declare any more: whether it may go without asking a person, and how it goes. Pure but for the last part. */
import { createHash } from 'node:crypto';
import {
  type GitSource,
  type KindDefinition,
  kindByName,
  PlumbError,
  namespace as project,
  retryable,
} from '@plumb/schemas';
import { isProtected } from '@plumb/schemas/meta/protection.ts';
import type { Identity } from '../../authorization/policy.ts';
import type { Rendered } from '../../git/look.ts';
import { keys } from '../../store/keys.ts';
import { decodeObject } from '../../store/object-codec.ts';
import { writtenName } from '../audit.ts';
import type { Context } from '../controller.ts';
import type { GitDoor } from '../git-door.ts';
import { type Status, writeStatus } from '../status.ts';
import { managerOf, sourceOf, waveOf } from './declared.ts';
import { type GitStatus, historyOf, type Source } from './telling.ts';

type Pending = NonNullable<GitStatus['pendingPrune']>;

/** Deletions of so many objects, or of this part of all, are no accident. */
const MOST_UNASKED = 10;
const PART_UNASKED = 0.1;
const SHOWN = 50;

/** What the deletion is decided by. */
export interface PruneCase {
  /** What was applied and is not declared any more, without what was decided before. */
  gone: readonly string[];
  /** How much was applied. */
  applied: number;
  rendered: number;
  /** Whether the commit descends from the one before. */
  descends: boolean;
  /** Whether it comes from another repository, ref or folder. */
  moved: boolean;
  revision: string;
  /** What waited for a person before. */
  pending: Pending | undefined;
  approved: string | undefined;
}

export interface PruneDecision {
  /** What may be deleted. */
  go: readonly string[];
  pending: Pending | undefined;
}

/** Nothing goes unasked that could be an accident. Once a person was asked, only they let it go, or a commit that declares it again. */
export function decidePrune(about: PruneCase): PruneDecision {
  const { gone, pending, approved } = about;
  if (gone.length === 0) return { go: [], pending: undefined };
  const because = pending?.because ?? doubts(about).join('; ');
  if (because === '') return { go: gone, pending: undefined };
  const sorted = [...gone].sort();
  const digest = createHash('sha256').update(sorted.join('\n')).digest('hex').slice(0, 32);
  if (approved === digest) return { go: gone, pending: undefined };
  return { go: [], pending: { digest, because, count: gone.length, objects: sorted.slice(0, SHOWN) } };
}

function doubts({ gone, applied, rendered, descends, moved }: PruneCase): string[] {
  const found: string[] = [];
  if (rendered === 0) found.push('the commit declares nothing at all');
  if (moved) found.push('the repository, ref or path is another than before');
  else if (!descends) found.push('the history was changed: the commit does not descend from the one before');
  if (gone.length > MOST_UNASKED) found.push(`more than ${MOST_UNASKED} objects would go`);
  if (gone.length > applied * PART_UNASKED) found.push('more than a tenth of all would go');
  const holding = gone.filter((id) => holdsData(kindByName(partsOf(id).kind)));
  if (holding.length > 0) found.push(`data would go with ${holding.slice(0, 3).join(', ')}`);
  return found;
}

/** Kinds without which nothing is lost that a commit does not bring back. Of any other it is not known. */
const WITHOUT_DATA: ReadonlySet<string> = new Set([
  ...['Zone', 'L2Network', 'L3Network', 'InstanceOffering', 'ConfigMap', 'ServiceAccount'],
  ...['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding'],
]);

function holdsData(kind: KindDefinition | undefined): boolean {
  return kind === undefined || !WITHOUT_DATA.has(kind.kind);
}

export function partsOf(id: string): { kind: string; namespace?: string; name: string } {
  const [kind = '', first = '', second] = id.split('/');
  return second === undefined ? { kind, name: first } : { kind, namespace: first, name: second };
}

export function keyOf(id: string): string | undefined {
  const { kind: name, namespace, name: named } = partsOf(id);
  const kind = kindByName(name);
  return kind && keys.object(kind.plural, namespace, named);
}

export interface Deleted {
  /** What is still there, or was not tried yet. */
  left: string[];
  /** What stays, since it is not the source's alone, or is protected. */
  kept: string[];
}

/**
 * Deletes what was decided, the last wave first: the next one waits until the one before is gone. Throws what the account may not.
 */
export async function deleteGoing(
  context: Context,
  door: GitDoor,
  source: Source,
  user: Identity,
  going: readonly string[],
): Promise<Deleted> {
  const kept = new Set<string>();
  const manager = managerOf(source.object);
  for (;;) {
    const there = await stillThere(context, going, manager, kept);
    const last = Math.max(...there.map(({ wave }) => wave));
    const now = there.filter(({ wave, isMarked }) => wave === last && !isMarked);
    if (now.length === 0) return { left: there.map(({ id }) => id), kept: [...kept] };
    const { namespace, name } = source.object.metadata;
    for (const { id, kind } of now) {
      const deleted = await door.delete(kind, partsOf(id), user).catch((thrown) => {
        const { reason, message, retry } = PlumbError.from(thrown, id);
        throw new PlumbError({ reason, message: `${id}: ${message}`, retry });
      });
      // A project in which others are: what was the source's own has gone with the waves before.
      if (!deleted && kind.kind === project.kind) kept.add(id);
      else if (!deleted) throw retryable('Conflict', `${id} was changed meanwhile: it is looked at again`);
      else
        context.audit?.({
          ...{ user: `gitsource:${namespace}/${name}`, verb: 'delete', object: writtenName(keyOf(id)!), code: 200 },
        });
    }
    await context.cache.shows(context.store.revision());
  }
}

interface There {
  id: string;
  kind: KindDefinition;
  wave: number;
  isMarked: boolean;
}

/** `kept` is told of what stays. */
async function stillThere(
  context: Context,
  going: readonly string[],
  manager: string,
  kept: Set<string>,
): Promise<There[]> {
  const there: There[] = [];
  for (const id of going) {
    const kind = kindByName(partsOf(id).kind);
    const entry = kind && !kept.has(id) && (await context.store.get(keyOf(id)!));
    if (!kind || !entry) continue;
    const object = decodeObject(entry);
    const { managedFields, deletionTimestamp } = object.metadata;
    if (isProtected(object) || !isOurs(managedFields, manager)) kept.add(id);
    else there.push({ id, kind, wave: waveOf(kind), isMarked: deletionTimestamp !== undefined });
  }
  return there;
}

/** What this source declares, and none beside it. Of what declares nothing but its name, nobody owns anything. */
function isOurs(entries: unknown, manager: string): boolean {
  if (!Array.isArray(entries) || entries.length === 0) return true;
  const appliers = entries.filter((one) => one?.operation === 'Apply' && !one.subresource);
  return appliers.length > 0 && appliers.every((one) => one.manager === manager);
}

interface Pruning extends PruneDecision {
  /** What is not declared any more and waits for a person. */
  gone: readonly string[];
  /** What is decided: it goes, or is going. */
  deleting: readonly string[];
}

export function pruneDecision({ spec, status = {} }: GitSource, found: Rendered, declared: readonly string[]): Pruning {
  const named = new Set(declared);
  const {
    inventory = [],
    deleting: before = [],
    revision,
    source,
    pendingPrune: pending,
    approvedPrune: approved,
  } = status;
  const left = inventory.filter((id) => !named.has(id));
  if (!spec.prune) return { go: [], pending: undefined, gone: [], deleting: [] };
  const decided = before.filter((id) => !named.has(id) && left.includes(id));
  const gone = left.filter((id) => !decided.includes(id));
  const decision = decidePrune({
    ...{ gone, applied: inventory.length, rendered: found.objects.length, pending, approved },
    descends: revision === found.revision || found.descends,
    moved: source !== undefined && JSON.stringify(source) !== JSON.stringify(sourceOf({ spec })),
    revision: found.revision,
  });
  return { ...decision, gone: decision.pending ? gone : [], deleting: [...decided, ...decision.go] };
}

export function withPrune(status: Status, { pending, deleting }: Pruning): Status {
  const { pendingPrune: _p, deleting: _d, approvedPrune, ...rest } = status as GitStatus;
  return {
    ...rest,
    ...(pending ? { pendingPrune: pending } : {}),
    ...(pending && approvedPrune !== undefined ? { approvedPrune } : {}),
    ...(deleting.length > 0 ? { deleting: [...deleting] } : {}),
  } as Status;
}

/** Deletes what was decided. Whether it is not over. */
export async function prune(context: Context, door: GitDoor, user: Identity, cached: Source): Promise<boolean> {
  const { deleting = [] } = cached.object.status ?? {};
  if (deleting.length === 0) return false;
  const { left, kept } = await deleteGoing(context, door, cached, user, deleting);
  if (left.length < deleting.length) {
    const ended = new Set(deleting.filter((id) => !left.includes(id)));
    const { revision = '' } = cached.object.status ?? {};
    await writeStatus(context, context.read.get<GitSource>(cached.key) ?? cached, (status) => {
      const { inventory = [], deleting: _, ...rest } = status as GitStatus;
      return {
        ...rest,
        inventory: inventory.filter((id) => !ended.has(id)),
        ...(left.length > 0 ? { deleting: left } : {}),
        history: historyOf(context, rest, { revision, result: 'Pruned', written: ended.size - kept.length }),
      } as Status;
    });
  }
  return left.length > 0;
}

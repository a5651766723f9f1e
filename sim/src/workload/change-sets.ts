/**
 * What change sets may do: write all that they declare in one commit, and put all of it back in one commit, as it was
 * before, but for what someone else has edited since. Read from the disk, commit by commit.
 */
import type { ChangeSetRecord } from '@plumb/reconciler/controllers/change-set/record.ts';
import type { Batch } from '@plumb/reconciler/store/store.ts';
import type { ChangeSet, PlumbObject } from '@plumb/schemas';
import type { KindName } from './actions.ts';
import { covers, declared, keyOf } from './compare.ts';

type Objects = ReadonlyMap<string, PlumbObject>;

interface Member {
  uid: string;
  generation: number;
  /** What people had declared of it; undefined: it was not there. */
  previous: string | undefined;
}

interface Running {
  direction: 'forward' | 'back';
  members: Map<string, Member>;
}

const PREFIX = '/changesets/';

export class ChangeSets {
  readonly #say: (what: string) => void;
  readonly #running = new Map<string, Running>();
  /** Change sets that are over, by uid. */
  readonly ended = new Map<string, 'applied' | 'returned'>();

  constructor(say: (what: string) => void) {
    this.#say = say;
  }

  /** uids of those that are under way. */
  running(): string[] {
    return [...this.#running.keys()];
  }

  /** Judges a commit, given the objects as they are before it; returns the keys that a change set may write in it. */
  judge(batch: Batch, objects: Objects): ReadonlySet<string> | undefined {
    const op = batch.ops.find(({ key }) => key.startsWith(PREFIX));
    if (!op) return undefined;
    const uid = op.key.slice(PREFIX.length);
    const puts = new Map<string, PlumbObject>();
    for (const other of batch.ops)
      if (other.type === 'put' && other.key.startsWith('/objects/')) puts.set(other.key, JSON.parse(other.value));
    const running = this.#running.get(uid);
    if (op.type === 'delete') this.#end(uid, running, objects);
    else if (!running) this.#begin(uid, puts, objects);
    else if ((JSON.parse(op.value) as ChangeSetRecord).direction === 'back') this.#back(uid, running, puts, objects);
    return new Set(puts.keys());
  }

  /** The disk was put back: what its records say is under way. */
  reload(records: Iterable<[uid: string, record: ChangeSetRecord]>): void {
    this.#running.clear();
    this.ended.clear();
    for (const [uid, { direction, members }] of records) {
      const known = members.map(({ key, uid, generation, previous }): [string, Member] => {
        const before = previous && declared({ spec: previous.spec, metadata: previous } as unknown as PlumbObject);
        return [key, { uid, generation, previous: before }];
      });
      this.#running.set(uid, { direction, members: new Map(known) });
    }
  }

  #begin(uid: string, puts: Objects, objects: Objects): void {
    const changeSet = [...objects.values()].find((o) => o.metadata.uid === uid) as ChangeSet | undefined;
    if (!changeSet) this.#say(`a change set ${uid} began that is not there`);
    const members = new Map<string, Member>();
    for (const { kind, metadata, spec } of changeSet?.spec.objects ?? []) {
      const key = keyOf({ kind: kind as KindName, name: metadata.name, namespace: metadata.namespace });
      const [before, after] = [objects.get(key), puts.get(key)];
      if (!after || !covers(after.spec, spec)) this.#say(`a change set began without ${key} as it declares it`);
      if (before?.metadata.deletionTimestamp) this.#say(`a change set changed ${key}, which is being deleted`);
      const { generation, uid } = after?.metadata ?? { generation: 0, uid: '' };
      members.set(key, { uid, generation, previous: before && declared(before) });
    }
    if (members.size !== puts.size)
      this.#say(`a change set wrote ${[...puts.keys()]}, and declares ${[...members.keys()]}`);
    this.#running.set(uid, { direction: 'forward', members });
  }

  #back(uid: string, running: Running, puts: Objects, objects: Objects): void {
    if (running.direction === 'back') return;
    running.direction = 'back';
    for (const [key, member] of running.members) {
      const [now, after] = [objects.get(key), puts.get(key)];
      const untouched =
        now?.metadata.uid === member.uid &&
        now.metadata.generation === member.generation &&
        !now.metadata.deletionTimestamp;
      if (!untouched) {
        if (after) this.#say(`change set ${uid} returned ${key}, which someone else had changed since`);
      } else if (!after) this.#say(`change set ${uid} did not return ${key}`);
      else if (member.previous === undefined) {
        if (!after.metadata.deletionTimestamp) this.#say(`change set ${uid} left ${key}, which was not there before`);
      } else if (declared(after) !== member.previous)
        this.#say(`change set ${uid} returned ${key} to ${declared(after)}; it was ${member.previous}`);
    }
  }

  #end(uid: string, running: Running | undefined, objects: Objects): void {
    this.#running.delete(uid);
    this.ended.set(uid, running?.direction === 'forward' ? 'applied' : 'returned');
    if (running?.direction !== 'forward') return;
    for (const [key, { uid }] of running.members)
      if (objects.get(key)?.metadata.uid !== uid) this.#say(`a change set ended as applied, and ${key} is gone`);
  }
}

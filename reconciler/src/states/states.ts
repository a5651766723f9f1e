/**
 * States of Terraform: read, written, locked. Whatever happens in between, a reader finds the version before or the one after: parts are
 * written first, and one commit of the head makes them the newest version.
 *
 *   const states = new TerraformStates({ store, ambient, limits });
 *   await states.write({ namespace: 'default', name: 'prod' }, content, facts, { lockId, user, address });
 */
import { type Ambient, PlumbError, terminal } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { ConflictError } from '../store/errors.ts';
import { keys } from '../store/keys.ts';
import { encodeObject } from '../store/object-codec.ts';
import type { Op, Store } from '../store/store.ts';
import { emptyState, factsOf, type StateFacts, withSerial } from './content.ts';
import type { Parts, StateHead, StateLock, StateVersion } from './head.ts';
import { damaged, type Packed, type Place, pack, removals, unpack } from './parts.ts';
import { lockedBy, pathOf } from './refusal.ts';
import { headKey, objectKey, type Standing, serialOf, standingOf } from './standing.ts';
import { shownStatus } from './status.ts';
import { Turns } from './turns.ts';

export interface StatesOptions {
  store: Store;
  ambient: Ambient;
  limits: Pick<ServerLimits, 'stateVersions' | 'stateKeptBytes' | 'statesPerProject'>;
}

export interface Who {
  user: string;
  address: string;
}

/** What Terraform says of a lock that it wants. */
export type WantedLock = Pick<StateLock, 'id' | 'operation' | 'info' | 'who' | 'version' | 'path'>;

/** How often something is tried again because the object was written meanwhile. */
const ATTEMPTS = 8;

/** Parts that one commit removes; what is written beside them has room. */
const REMOVED_AT_ONCE = 20;

export class TerraformStates {
  readonly #options: StatesOptions;
  readonly #turns = new Turns();

  constructor(options: StatesOptions) {
    this.#options = options;
  }

  /** How the state stands. Throws as {@link standingOf}. */
  standing(place: Place): Promise<Standing> {
    return standingOf(this.#options.store, place, this.#now());
  }

  /**
   * The newest version. Throws {@link StateLocked} when it is not there or waits for a person, retry `StateDamaged` when it cannot be
   * read.
   */
  async read(place: Place): Promise<Buffer> {
    for (let attempt = 1; ; attempt++) {
      const { head, headRevision, object } = usable(await this.standing(place));
      const [newest] = head.versions;
      if (!newest) return Buffer.from(emptyState(object.metadata.uid));
      const content = await unpack(this.#options.store, place, newest);
      if (content) return content;
      // It may have been replaced, and its parts removed, while it was read.
      const { headRevision: now } = await this.standing(place);
      if (now === headRevision || attempt === ATTEMPTS) throw damaged(place, `serial ${newest.serial} is damaged`);
    }
  }

  /**
   * Makes `content` the newest version. Throws {@link StateLocked} while another one has the lock, and terminal `Conflict` for what
   * is not newer than what is there, or is another state.
   */
  async write(place: Place, content: Buffer, facts: StateFacts, who: Who & { lockId: string }): Promise<void> {
    const packed = await pack(content);
    await this.#change(place, async () => {
      const standing = await this.standing(place);
      const { head } = standing;
      mayWrite(place, standing, who);
      const [newest] = head.versions;
      // The answer to it was lost, and it is sent once more.
      if (newest && newest.serial === facts.serial && newest.sha256 === packed.sha256) return;
      if (newest) expectNewer(place, newest, facts);
      await this.#add(place, standing, packed, facts, who);
    });
  }

  /** Gives the lock, or throws {@link StateLocked}. Who has it already gets it again. */
  lock(place: Place, wanted: WantedLock, who: Who): Promise<void> {
    return this.#change(place, async () => {
      const standing = usable(await this.standing(place));
      const { lock } = standing.head;
      if (lock && lock.id === wanted.id && lock.user === who.user) return;
      if (lock) throw lockedBy(place, lock);
      const { user, address } = who;
      await this.#commit(place, standing, {
        ...standing.head,
        lock: { ...wanted, user, address, at: this.#now() },
      });
    });
  }

  /**
   * Takes the lock away. `id`: whose; undefined: whatever lock there is. `mayBreak` throws when who asks may not take away the lock of
   * another user. Throws {@link StateLocked} when it is another lock.
   */
  unlock(place: Place, id: string | undefined, who: Who, mayBreak: () => void): Promise<void> {
    return this.#change(place, async () => {
      const standing = await this.standing(place);
      const { lock, ...head } = standing.head;
      if (!lock) return;
      if (id !== undefined && id !== lock.id) throw lockedBy(place, lock);
      if (lock.user !== who.user) mayBreak();
      await this.#commit(place, standing, head);
    });
  }

  /** Makes an earlier version the newest, under a serial that Terraform takes as newer. Returns that serial. */
  rollback(place: Place, serial: number, who: Who): Promise<number> {
    return this.#change(place, async () => {
      const standing = usable(await this.standing(place));
      const { head } = standing;
      if (head.lock) throw lockedBy(place, head.lock);
      const [newest] = head.versions;
      const version = head.versions.find((one) => one.serial === serial);
      if (!newest || !version) {
        const kept = head.versions.map((one) => one.serial).join(', ') || 'none';
        throw terminal('NotFound', `the state ${pathOf(place)} has no version with serial ${serial}; kept are ${kept}`);
      }
      if (version === newest)
        throw terminal('Conflict', `serial ${serial} is the newest version of the state ${pathOf(place)} already`);
      const content = await unpack(this.#options.store, place, version);
      if (!content) throw damaged(place, `serial ${serial} is damaged`);
      const next = newest.serial + 1;
      const text = withSerial(content.toString('utf8'), next);
      await this.#add(place, standing, await pack(Buffer.from(text)), factsOf(text), who);
      return next;
    });
  }

  /** A person says that the state is good as it is now. Returns its serial. */
  acknowledge(place: Place): Promise<number> {
    return this.#change(place, async () => {
      const standing = await this.standing(place);
      const { object, head, putBack, blocked } = standing;
      if (object.metadata.deletionTimestamp !== undefined) throw blocked;
      if (blocked) {
        const { deleted, ...rest } = head;
        const acknowledged = putBack?.term ?? 0;
        await this.#commit(place, standing, { ...rest, uid: object.metadata.uid, acknowledged });
        return deleted ? 0 : serialOf(head);
      }
      return serialOf(head);
    });
  }

  /**
   * Removes what is in a state that is being deleted; that it was there is remembered. Returns the lock when somebody has it: then
   * nothing is done.
   */
  bury(place: Place): Promise<StateLock | undefined> {
    return this.#change(place, async () => {
      const standing = await this.standing(place).catch((error) => {
        if (error instanceof PlumbError && error.reason === 'StateDamaged') return undefined;
        throw error;
      });
      if (!standing) return this.#buryDamaged(place);
      const { head, headRevision, object } = standing;
      if (object.metadata.deletionTimestamp === undefined || headRevision === 0) return undefined;
      if (head.lock && head.uid === object.metadata.uid) return head.lock;
      const remains = [...(head.remains ?? []), ...head.versions];
      const deleted = head.deleted ?? { at: this.#now(), serial: serialOf(head) };
      const { acknowledged } = head;
      const left: StateHead = { format: 1, versions: [], acknowledged, deleted };
      if (remains.length === 0) {
        if (!head.deleted) await this.#put(place, standing, left);
        return undefined;
      }
      await this.#put(place, standing, { ...left, remains: remains.map(({ id, parts }) => ({ id, parts })) });
      await this.#remove(place, remains);
      const { headRevision: revision } = await this.standing(place);
      await this.#put(place, { ...standing, headRevision: revision }, left);
      return undefined;
    });
  }

  /** Its parts are found by their keys, since no head names them. */
  async #buryDamaged(place: Place): Promise<undefined> {
    const { store } = this.#options;
    const prefix = `${keys.stateParts}${pathOf(place)}/`;
    for (;;) {
      const { entries, more } = await store.list(prefix, { limit: 4 });
      const ops = entries.map(({ key }): Op => ({ type: 'delete', key }));
      if (ops.length > 0) await store.commit({ preconditions: [], ops });
      if (!more) break;
    }
    const head: StateHead = { format: 1, versions: [], acknowledged: 0, deleted: { at: this.#now(), serial: 0 } };
    await store.commit({ preconditions: [], ops: [{ type: 'put', key: headKey(place), value: JSON.stringify(head) }] });
    return undefined;
  }

  #now(): number {
    return this.#options.ambient.clock.now();
  }

  /** One change of a state at a time; tried again when its object was written meanwhile. */
  #change<T>(place: Place, change: () => Promise<T>): Promise<T> {
    return this.#turns.take(pathOf(place), async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await change();
        } catch (error) {
          if (!(error instanceof ConflictError) || attempt === ATTEMPTS) throw error;
        }
      }
    });
  }

  async #add(place: Place, before: Standing, packed: Packed, facts: StateFacts, { user }: Who): Promise<void> {
    let standing = before;
    const { texts, ...stored } = packed;
    const { ids } = this.#options.ambient;
    const id = ids.secret(12);
    const version: StateVersion = { ...facts, ...stored, id, at: this.#now(), by: user };
    const puts = texts.map((value, part): Op => {
      return { type: 'put', key: keys.statePart(place.namespace, place.name, id, part), value };
    });
    const remains = [...(standing.head.remains ?? [])];
    const [first] = puts;
    const together = puts.length === 1 ? [first!] : [];
    if (puts.length > 1) {
      // Whoever finds them without a version knows that they are nobody's.
      const revision = await this.#commit(place, standing, {
        ...standing.head,
        remains: [...remains, { id, parts: puts.length }],
      });
      standing = { ...standing, headRevision: revision, revision };
      for (const put of puts) await this.#options.store.commit({ preconditions: [], ops: [put] });
    }
    const { kept, dropped } = this.#keep([version, ...standing.head.versions]);
    const gone = [...remains, ...dropped];
    const removed = [...removals(place, gone)];
    const { remains: _, ...head } = standing.head;
    if (removed.length <= REMOVED_AT_ONCE) {
      await this.#commit(place, standing, { ...head, versions: kept }, [...together, ...removed]);
      return;
    }
    const names = gone.map(({ id, parts }) => ({ id, parts }));
    await this.#commit(place, standing, { ...head, versions: kept, remains: names }, together);
    // It is written by now: what cannot be removed is removed with the next version.
    await this.#remove(place, gone).catch((error) => PlumbError.from(error, pathOf(place)));
  }

  #keep(versions: readonly StateVersion[]): { kept: StateVersion[]; dropped: StateVersion[] } {
    const { stateVersions, stateKeptBytes } = this.#options.limits;
    let bytes = 0;
    const kept = versions.filter(({ stored }, index) => {
      bytes += stored;
      return index === 0 || (index < stateVersions && bytes <= stateKeptBytes);
    });
    return { kept, dropped: versions.filter((version) => !kept.includes(version)) };
  }

  async #remove(place: Place, remains: readonly Parts[]): Promise<void> {
    const ops = [...removals(place, remains)];
    for (let at = 0; at < ops.length; at += REMOVED_AT_ONCE)
      await this.#options.store.commit({ preconditions: [], ops: ops.slice(at, at + REMOVED_AT_ONCE) });
  }

  /** Head and object as one, so that what is shown is what is. Returns the revision of both. */
  async #commit(place: Place, standing: Standing, head: StateHead, beside: Op[] = []): Promise<number> {
    const { object, revision } = standing;
    const shown = { ...object, status: shownStatus(object.status ?? {}, head) };
    const put: Op = { type: 'put', key: objectKey(place), value: encodeObject(shown) };
    const committed = await this.#put(place, standing, head, [put, ...beside], [{ key: put.key, revision }]);
    return committed;
  }

  async #put(
    place: Place,
    { headRevision }: Pick<Standing, 'headRevision'>,
    head: StateHead,
    beside: Op[] = [],
    holding: { key: string; revision: number }[] = [],
  ): Promise<number> {
    if (headRevision === 0) await this.#expectRoom(place);
    const key = headKey(place);
    const { revision } = await this.#options.store.commit({
      preconditions: [{ key, revision: headRevision }, ...holding],
      ops: [{ type: 'put', key, value: JSON.stringify(head) }, ...beside],
    });
    return revision;
  }

  async #expectRoom({ namespace, name }: Place): Promise<void> {
    const { store, limits } = this.#options;
    const { statesPerProject } = limits;
    const { entries } = await store.list(keys.stateHead(namespace, ''), { limit: statesPerProject });
    if (entries.length >= statesPerProject)
      throw terminal(
        'LimitExceeded',
        `the project ${namespace} has used ${statesPerProject} names of states, deleted ones among them, and ${name} is one more: use one of them again, or have statesPerProject in the limits file raised`,
      );
  }
}

function usable(standing: Standing): Standing {
  if (standing.blocked) throw standing.blocked;
  return standing;
}

/** Who holds the lock goes on while the state is being deleted: what it has made is not to be forgotten. */
function mayWrite(place: Place, { head, object, blocked }: Standing, { lockId, user }: Who & { lockId: string }): void {
  const holds = head.lock !== undefined && head.lock.id === lockId && head.lock.user === user;
  const isGoing = object.metadata.deletionTimestamp !== undefined && head.uid === object.metadata.uid;
  if (blocked && !(holds && isGoing)) throw blocked;
  if (head.lock && !holds) throw lockedBy(place, head.lock);
  if (!head.lock && lockId !== '')
    throw terminal(
      'Conflict',
      `the state ${pathOf(place)} was not written: the lock that Terraform had was taken away by somebody (terraform force-unlock, or plumb state unlock ${place.name})`,
    );
}

function expectNewer(place: Place, { serial, lineage }: StateVersion, facts: StateFacts): void {
  if (facts.lineage !== lineage)
    throw terminal(
      'Conflict',
      `the state ${pathOf(place)} was not written: it is another one, with the lineage ${JSON.stringify(facts.lineage)} in the place of ${JSON.stringify(lineage)}; use another name for it`,
    );
  if (facts.serial <= serial)
    throw terminal(
      'Conflict',
      `the state ${pathOf(place)} was not written: it has serial ${serial}, and what was sent has serial ${facts.serial}: somebody has written it meanwhile`,
    );
}

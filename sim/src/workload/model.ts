/** What was promised: the specs that the API has acknowledged. Simple on purpose. */
import { keys } from '@plumb/reconciler/store/keys.ts';
import type { PlumbObject } from '@plumb/schemas';
import { kindByName } from '@plumb/schemas';
import type { Answer } from '../world/control-process.ts';
import type { StoreDisk } from '../world/store-disk.ts';
import type { Action } from './actions.ts';

type Asked = Extract<Action, { do: 'create' | 'change' | 'delete' }>;

interface Promised {
  uid: string;
  spec: string;
  deleted: boolean;
}

export function keyOf({ kind, name }: { kind: string; name: string }): string {
  const { plural, scope } = kindByName(kind)!;
  return keys.object(plural, scope === 'Namespaced' ? 'default' : undefined, name);
}

export class Model {
  readonly #disk: StoreDisk;
  readonly #promised = new Map<string, Promised>();

  constructor(disk: StoreDisk) {
    this.#disk = disk;
  }

  /** Takes note of an answer; an undefined one leaves the outcome open, and what lies on the disk decides. */
  heard(action: Asked, answer: Answer | undefined): string[] {
    const key = keyOf(action);
    if ('illegal' in action && action.illegal && answer && answer.code >= 200 && answer.code < 300)
      if (!unchanged(action, this.#object(key))) return [`${JSON.stringify(action)} was answered with ${answer.code}`];
    if (answer === undefined) {
      this.#adopt(key);
      return [];
    }
    if (answer.code >= 500) return [];
    if (answer.code < 200 || answer.code >= 300) return [];
    const body = answer.body as PlumbObject;
    if (action.do === 'delete') {
      const before = this.#promised.get(key);
      if (before) before.deleted = true;
      return [];
    }
    this.#promised.set(key, {
      uid: body.metadata.uid,
      spec: JSON.stringify(body.spec),
      deleted: body.metadata.deletionTimestamp !== undefined,
    });
    return this.#check(key);
  }

  /** The store was put back: what it holds now is all that is promised. */
  forget(): void {
    for (const key of this.#promised.keys()) this.#adopt(key);
  }

  /** Promises that are not kept. */
  broken(): string[] {
    return [...this.#promised.keys()].flatMap((key) => this.#check(key));
  }

  #check(key: string): string[] {
    const { uid, spec, deleted } = this.#promised.get(key)!;
    const object = this.#object(key);
    if (deleted) {
      if (object?.metadata.uid === uid && !object.metadata.deletionTimestamp)
        return [`${key} was deleted, and lives on: an acknowledged deletion was lost`];
      return [];
    }
    if (!object) return [`${key} is gone: an acknowledged write was lost`];
    if (object.metadata.uid !== uid) return [`${key} is another object: an acknowledged write was lost`];
    if (object.metadata.deletionTimestamp) return [`${key} is being deleted, and nobody asked for it`];
    const now = JSON.stringify(object.spec);
    return now === spec ? [] : [`${key} is ${now}; acknowledged was ${spec}`];
  }

  #adopt(key: string): void {
    const object = this.#object(key);
    if (!object) this.#promised.delete(key);
    else
      this.#promised.set(key, {
        uid: object.metadata.uid,
        spec: JSON.stringify(object.spec),
        deleted: object.metadata.deletionTimestamp !== undefined,
      });
  }

  #object(key: string): PlumbObject | undefined {
    const entry = this.#disk.entries.get(key);
    return entry && (JSON.parse(entry.value) as PlumbObject);
  }
}

/** An illegal wish that happens to ask for what is there already is none. */
function unchanged(action: Asked, object: PlumbObject | undefined): boolean {
  if (action.do !== 'change' || !object) return false;
  return Object.entries(action.spec).every(
    ([field, value]) => JSON.stringify(object.spec[field]) === JSON.stringify(value),
  );
}

/**
 * The server's word on what a session plans. What is planned while an answer is under way is asked about together; objects that were
 * planned before go with the question, as far as they are few, so that they count for each other. Nothing is reserved.
 */
import type { Client } from '@plumb/client/client.ts';
import { type FieldError, PlumbError } from '@plumb/schemas';
import { API_GROUP_VERSION } from '@plumb/schemas/meta/object.ts';
import { keyOf, type Manifest, Planned, type Question, type Reviewed } from './question.ts';

const PATH = '/apis/plumb.dev/v1/planreviews';
/** How long a server is asked for a review, in milliseconds. */
const REVIEW_MS = 60_000;
/** How often a question is asked again without what the server finds wrong in it. */
const ATTEMPTS = 4;
/** Objects of one question that are new in it. */
const MOST_ASKED = 64;

export interface Answered {
  own: Reviewed;
  /** Others that change because of it, as far as they were not told before. */
  affected: Reviewed[];
  /** Whether all counted that the session has planned: else where it would be is a guess. */
  isWhole: boolean;
}

/** Rules that the object breaks, found by the server alone. */
export interface Refused {
  fields: FieldError[];
}

type Target = { object: Manifest } | { deletion: NonNullable<Question['deletions']>[number] };
type Waiting = Target & { resolve(answer: Answered | Refused): void; reject(error: unknown): void };

export class Reviews {
  readonly #planned = new Planned();
  /** Objects, by key, whose change because of others was told. */
  readonly #told = new Set<string>();
  /** Names of what is planned and could not be asked about, since not all of it is known. */
  readonly #unknown = new Set<string>();
  #waiting: Waiting[] = [];
  #asking = false;

  /** An object of which not all is known: what refers to it is not held against others. */
  leaveOut(kind: string, name: string): void {
    this.#unknown.add(`${kind} ${name}`);
  }

  /** Whether a sentence speaks of what could not be asked about. */
  concernsUnknown(sentence: string): boolean {
    for (const named of this.#unknown) {
      const at = sentence.indexOf(named);
      if (at >= 0 && !/[\w-]/.test(sentence[at + named.length] ?? '')) return true;
    }
    return false;
  }

  /** Throws what the client throws, and `Forbidden`. */
  ask(client: Client, by: { manager: string; force: boolean }, target: Target): Promise<Answered | Refused> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...target, resolve, reject });
      if (this.#asking) return;
      this.#asking = true;
      // What Terraform plans at the same time comes in the same turns.
      setImmediate(() => void this.#work(client, by));
    });
  }

  async #work(client: Client, by: { manager: string; force: boolean }): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MOST_ASKED);
      try {
        await this.#answer(client, by, batch);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#asking = false;
  }

  async #answer(client: Client, by: { manager: string; force: boolean }, batch: Waiting[]): Promise<void> {
    const asked = batch.flatMap((one) => ('object' in one ? [one] : []));
    const going = batch.flatMap((one) => ('deletion' in one ? [one] : []));
    const keys = new Set([
      ...asked.map(({ object }) => keyOf(object)),
      ...going.map(({ deletion }) => keyOf({ kind: deletion.kind, metadata: deletion as never })),
    ]);
    let beside = this.#planned.beside(keys);
    let own = asked;
    for (let attempt = 1; ; attempt++) {
      const objects = [...beside, ...own.map(({ object }) => object)];
      const deletions = going.map(({ deletion }) => deletion);
      const body = {
        apiVersion: API_GROUP_VERSION,
        kind: 'PlanReview',
        metadata: {},
        spec: { objects, deletions, ...by },
      };
      const limit = client.deadline(REVIEW_MS);
      try {
        const { status } = await client.json({ method: 'POST', path: PATH, body }, limit);
        this.#tell(status, beside.length, own, going);
        return;
      } catch (thrown) {
        const mistakes = attempt < ATTEMPTS ? mistakesIn(PlumbError.from(thrown, 'review')) : undefined;
        if (!mistakes) throw thrown;
        for (const [i, fields] of mistakes) own[i - beside.length]?.resolve({ fields });
        own = own.filter((_, i) => !mistakes.has(beside.length + i));
        beside = beside.filter((_, i) => !mistakes.has(i));
        if (own.length + going.length === 0) return;
      } finally {
        limit.end();
      }
    }
  }

  #tell(
    status: { objects?: Reviewed[]; affected?: Reviewed[] },
    before: number,
    own: readonly (Waiting & { object: Manifest })[],
    going: readonly Waiting[],
  ): void {
    const told = status.objects ?? [];
    const fresh = (status.affected ?? []).filter((one) => {
      const key = keyOf({ kind: one.kind, metadata: one as never });
      return !this.#told.has(key) && this.#told.add(key);
    });
    // The server says of others only what an edited object does to them.
    const cause = own.findIndex((_, i) => told[before + i]?.action === 'Update' && fresh.length > 0);
    const { isWhole } = this.#planned;
    own.forEach(({ object, resolve }, i) => {
      this.#planned.add(object);
      resolve({ own: told[before + i]!, affected: i === cause ? fresh : [], isWhole });
    });
    for (const [i, { resolve }] of going.entries())
      resolve({ own: told[before + own.length + i]!, affected: [], isWhole });
  }
}

const PLACE = /^spec\.objects\[(\d+)\]\.?/;

/** By place in the question; undefined when that is not what is wrong. */
function mistakesIn({ reason, fields }: PlumbError): Map<number, FieldError[]> | undefined {
  if (reason !== 'Invalid' || !fields.some(({ field }) => PLACE.test(field))) return undefined;
  const found = new Map<number, FieldError[]>();
  for (const { field, message } of fields) {
    const place = PLACE.exec(field);
    if (place) found.getOrInsertComputed(Number(place[1]), () => []).push({ field: field.replace(PLACE, ''), message });
  }
  return found;
}

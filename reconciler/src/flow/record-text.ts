/**
 * How the record of a flow is written down: JSON without what follows from the rest, and with one control character in place of each
 * long word that stands in it many times. JSON never holds a control character as it is, so nothing can be taken for one.
 *
 *   {"uid":"3f2c…","words":["9b1d…"],"key":…,"plan":{"version":2,"steps":[{"verb":"ensure","resource":{"kind":"disk","id":"\x01.root",…
 *
 * \x01 is the uid, \x02 the first of the words, and so on. A create takes a little more than half of the bytes that it takes in full.
 */
import { type HostResource, resourceTypes } from '@plumb/schemas';
import type { HoldingType } from '../plan/holding.ts';
import { equal, type PlanStep, stepId } from '../plan/plan.ts';
import type { FlowRecord } from './record.ts';

/** Of this kind all flows were before there were others: it is written in no record. */
const UNSAID_KIND = 'Instance';

/** What words look like that are worth it: uids, and sums in hexadecimal. */
const WORD = /^[0-9a-f-]{32,64}$/;
const MOST_WORDS = 7;
const HEAD = /^\{"uid":"([0-9a-f-]{32,64})","words":\[((?:"[0-9a-f-]{32,64}",?){0,7})\],/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they stand for words here
const PLACES = /[\x01-\x08]/g;

/** A step without what follows from the rest of its flow. */
type ShortStep = Partial<Omit<PlanStep, 'resource' | 'previous'>> & {
  verb: PlanStep['verb'];
  resource: Partial<HostResource>;
  /** true: as `resource`. */
  previous?: Partial<HostResource> | true;
};

/** The text of a record. `type`: of what objects of its kind hold. */
export function textOf(record: FlowRecord, type?: HoldingType): string {
  const { uid, kind, target, plan, carried, ...rest } = record;
  const short = {
    ...rest,
    ...(kind === UNSAID_KIND ? {} : { kind }),
    ...(target && { target }),
    plan: { ...plan, steps: plan.steps.map((step) => shortened(step, record)) },
    ...(carried && { carried: carried.map((step) => shortened(step, record)) }),
  };
  const words = wordsOf(record, type);
  let text = JSON.stringify(short);
  if (WORD.test(uid)) {
    for (const [n, word] of [uid, ...words].entries()) text = text.replaceAll(word, String.fromCharCode(n + 1));
    return `{"uid":"${uid}","words":${JSON.stringify(words)},${text.slice(1)}`;
  }
  return JSON.stringify({ uid, ...short });
}

/** The text with its words in full: JSON, if it is the text of a record. A place for a word that there is not stays: it is no JSON. */
export function inFull(text: string): string {
  const head = HEAD.exec(text);
  if (head === null) return text;
  const words = [head[1]!, ...(JSON.parse(`[${head[2]!}]`) as string[])];
  const rest = text.slice(head[0].length).replace(PLACES, (place) => words[place.charCodeAt(0) - 1] ?? place);
  return `{"uid":"${head[1]!}",${rest}`;
}

/** What the text says, not looked at yet: whatever is no record is what it is as JSON. Throws what JSON.parse throws. */
export function readText(text: string): unknown {
  const parsed: unknown = JSON.parse(inFull(text));
  if (!isObject(parsed)) return parsed;
  const record = parsed as unknown as FlowRecord;
  record.kind ??= UNSAID_KIND;
  if (isObject(record.plan)) record.plan.steps = completedAll(record.plan.steps, record);
  if (record.carried !== undefined) record.carried = completedAll(record.carried, record);
  return record;
}

function completedAll(steps: PlanStep[], record: FlowRecord): PlanStep[] {
  return Array.isArray(steps) ? steps.map((step) => (isObject(step) ? lengthened(step, record) : step)) : steps;
}

function shortened(step: PlanStep, record: FlowRecord): ShortStep {
  const { id, host, verb, resource, undo, previous, disruption, why } = step;
  const usual = usualOf(step, record);
  return {
    ...(id === usual.id ? {} : { id }),
    ...(host === usual.host ? {} : { host }),
    verb,
    resource: withoutOwner(resource, record),
    ...(undo === usual.undo ? {} : { undo }),
    ...(previous && { previous: equal(previous, resource) ? true : withoutOwner(previous, record) }),
    ...(disruption === usual.disruption ? {} : { disruption }),
    ...(why === usual.why ? {} : { why }),
  };
}

function lengthened(short: ShortStep, record: FlowRecord): PlanStep {
  const resource = withOwner(short.resource, record);
  const previous = short.previous === true ? resource : withOwner(short.previous, record);
  const { resource: _is, previous: _was, ...said } = short;
  if (!isObject(resource)) return short as PlanStep;
  const whole = { verb: short.verb, resource, ...(previous && { previous }) } as PlanStep;
  return { ...usualOf(whole, record), ...said, ...whole };
}

/** What a step says of itself unless there is something special about it. */
function usualOf({ verb, resource, previous }: PlanStep, { target, held }: FlowRecord) {
  const isKept = verb === 'remove' && resourceTypes.holdsData(resource.kind);
  const isShared = verb === 'ensure' && resourceTypes.isShared(resource.kind);
  return {
    id: stepId(verb, resource, previous),
    host: target?.host ?? held?.[0]?.host ?? '',
    undo: isKept ? 'pivot' : isShared ? 'shared' : 'undoable',
    disruption: isKept ? 'dataLoss' : verb === 'remove' ? 'live' : 'none',
    why: `${resource.kind} is not there`,
  } as const;
}

function withoutOwner(resource: HostResource, { uid }: FlowRecord): Partial<HostResource> {
  const { owner, ...rest } = resource;
  return owner === uid ? (rest as Partial<HostResource>) : resource;
}

function withOwner<T>(resource: T, { uid }: FlowRecord): T {
  if (!isObject(resource) || 'owner' in resource) return resource;
  const { kind, id, ...rest } = resource as unknown as Omit<HostResource, 'owner'>;
  return { kind, id, owner: uid, ...rest } as T;
}

/** What stands in a record many times, beside the uid of its object. */
function wordsOf({ uid, target }: FlowRecord, type: HoldingType | undefined): string[] {
  if (target === undefined || type?.words === undefined) return [];
  const words = new Set(type.words(target));
  return [...words].filter((word) => word !== uid && WORD.test(word)).slice(0, MOST_WORDS);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

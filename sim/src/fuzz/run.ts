/** Feeds one target, and judges each answer. */
import { format } from 'node:util';
import { Dice } from '../core/dice.ts';
import { type Finding, type FuzzTarget, isRefusal, type Tally, WITHIN_MS, Wrong } from './target.ts';

export interface Feeding {
  seed: string;
  /** Wall time that this target has, in milliseconds. */
  forMs: number;
  /** Inputs that are tried however long they take; one, if absent. */
  atLeast?: number | undefined;
  /** Number of the first input. */
  from: number;
  onInput(number: number): void;
  onFinding(finding: Finding): void;
}

/** Inputs until the time is over. */
export async function feed(
  target: FuzzTarget,
  { seed, forMs, atLeast = 1, from, onInput, onFinding }: Feeding,
): Promise<Tally> {
  const tally: Tally = { target: target.name, inputs: 0, refused: 0, slowestMs: 0 };
  const until = performance.now() + forMs;
  let number = from;
  do {
    onInput(number);
    const { findings, refused, tookMs } = await tryOne(target, `${seed}/${target.name}/${number}`);
    for (const finding of findings) onFinding(finding);
    tally.inputs++;
    if (refused) tally.refused++;
    tally.slowestMs = Math.max(tally.slowestMs, tookMs);
    number++;
  } while (performance.now() < until || tally.inputs < atLeast);
  return tally;
}

interface Judged {
  findings: Finding[];
  refused: boolean;
  tookMs: number;
}

/** Feeds the input that `again` stands for. */
export async function tryOne(target: FuzzTarget, again: string): Promise<Judged> {
  const made = () => target.make(new Dice(again));
  const findings: Finding[] = [];
  const find = (what: string) =>
    findings.push({ target: target.name, again, what: what.slice(0, 2_000), input: shownInput(target, made()) });
  const first = await once(target, made());
  if (first.wrong !== undefined) find(first.wrong);
  const within = target.withinMs ?? WITHIN_MS;
  let { tookMs } = first;
  // A collection of garbage, or code that was compiled just now, is no fault of the input.
  for (let more = 0; more < 3 && tookMs > within; more++)
    tookMs = Math.min(tookMs, (await once(target, made())).tookMs);
  if (tookMs > within) find(`took ${Math.round(tookMs)} ms, and ${within} are allowed`);
  const polluted = pollution();
  if (polluted !== undefined) find(`changed the prototype of all objects: ${polluted}`);
  return { findings, refused: first.refused, tookMs };
}

async function once(
  target: FuzzTarget,
  input: unknown,
): Promise<{ wrong: string | undefined; refused: boolean; tookMs: number }> {
  const before = process.threadCpuUsage();
  const tookMs = () => {
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1000;
  };
  try {
    const answer = target.run(input);
    const settled = answer instanceof Promise ? await answer : answer;
    return { wrong: settled instanceof Wrong ? settled.what : undefined, refused: false, tookMs: tookMs() };
  } catch (thrown) {
    const allowed = (target.allows ?? isRefusal)(thrown);
    return { wrong: allowed ? undefined : format(thrown), refused: allowed, tookMs: tookMs() };
  }
}

const untouched = Object.getOwnPropertyNames(Object.prototype).length;

/** What was added to Object.prototype, which is taken away again. */
function pollution(): string | undefined {
  const names = Object.getOwnPropertyNames(Object.prototype);
  if (names.length === untouched) return undefined;
  const added = names.slice(untouched);
  for (const name of added) Reflect.deleteProperty(Object.prototype, name);
  return added.join(', ');
}

/** The beginning of an input. */
function shownInput(target: FuzzTarget, input: unknown): string {
  const text = target.show ? target.show(input) : (JSON.stringify(input) ?? String(input));
  return text.length > 1_000 ? `${text.slice(0, 1_000)}… (${text.length} characters)` : text;
}

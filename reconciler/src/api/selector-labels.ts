/** Label selectors: `tier=web,env in (prod,test),!legacy`. The grammar is Kubernetes' (apimachinery, package labels). */
import { badRequest } from './failure.ts';

export type Labels = Readonly<Record<string, string>>;

interface Requirement {
  key: string;
  holds(value: string | undefined): boolean;
}

const SET = /^\s*([^\s!=,()]+)\s+(in|notin)\s*\(([^()]*)\)\s*(?:,|$)/;
const EQUAL = /^\s*([^\s!=,()]+)\s*(==|=|!=)\s*([^\s,()]*)\s*(?:,|$)/;
const EXISTS = /^\s*(!?)\s*([^\s!=,()]+)\s*(?:,|$)/;

/** A test for the labels of an object, or undefined when everything is selected. Throws PlumbError `BadRequest`. */
export function labelSelector(text: string): ((labels: Labels | undefined) => boolean) | undefined {
  const requirements: Requirement[] = [];
  let rest = text;
  while (rest.trim() !== '') {
    const [requirement, length] = next(rest, text);
    requirements.push(requirement);
    rest = rest.slice(length);
  }
  if (requirements.length === 0) return undefined;
  return (labels) =>
    requirements.every(({ key, holds }) => holds(labels && Object.hasOwn(labels, key) ? labels[key] : undefined));
}

function next(rest: string, text: string): [Requirement, number] {
  const set = SET.exec(rest);
  if (set) {
    const values = new Set(set[3]!.split(',').map((value) => value.trim()));
    const within = set[2] === 'in';
    return [{ key: set[1]!, holds: (v) => (v === undefined ? !within : values.has(v) === within) }, set[0].length];
  }
  const equal = EQUAL.exec(rest);
  if (equal) {
    const wanted = equal[3]!;
    const same = equal[2] !== '!=';
    return [{ key: equal[1]!, holds: (v) => (v === wanted) === same }, equal[0].length];
  }
  const exists = EXISTS.exec(rest);
  if (exists) {
    const present = exists[1] === '';
    return [{ key: exists[2]!, holds: (v) => (v !== undefined) === present }, exists[0].length];
  }
  throw badRequest(`unable to parse the label selector ${JSON.stringify(text)} at ${JSON.stringify(rest.trim())}`);
}

/** Whether a rule allows a request. The decisions are those of Kubernetes' own authorizer (`npm run soak -- --rbac`). */
import { type Attributes, isPath, type PolicyRule } from './policy.ts';

const ALL = '*';

export function ruleAllows(rule: PolicyRule, asked: Attributes): boolean {
  if (!names(rule.verbs, asked.verb)) return false;
  if (isPath(asked)) return rule.nonResourceURLs?.some((url) => matchesPath(url, asked.path)) ?? false;
  return (
    names(rule.apiGroups, asked.group) &&
    matchesResource(rule.resources, asked.resource, asked.subresource) &&
    (!rule.resourceNames?.length || rule.resourceNames.includes(asked.name))
  );
}

/** Whether the list has the word, or the star that stands for every word. */
function names(list: readonly string[] | undefined, word: string): boolean {
  return list?.some((one) => one === ALL || one === word) ?? false;
}

function matchesResource(list: readonly string[] | undefined, resource: string, subresource: string): boolean {
  if (!list) return false;
  if (subresource === '') return names(list, resource);
  return names(list, `${resource}/${subresource}`) || list.includes(`${ALL}/${subresource}`);
}

/** All stars at the end of a pattern count as one, as in Kubernetes. */
function matchesPath(pattern: string, path: string): boolean {
  return pattern === ALL || pattern === path || (pattern.endsWith(ALL) && path.startsWith(withoutStars(pattern)));
}

export function withoutStars(pattern: string): string {
  let end = pattern.length;
  while (end > 0 && pattern[end - 1] === ALL) end--;
  return pattern.slice(0, end);
}

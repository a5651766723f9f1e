/**
 * The policy as the store holds it, kept current by a watch. It is loaded before anything is served: who may do what is known
 * with the first request. What cannot be understood gives no right.
 */
import type { PlumbError } from '@plumb/schemas';
import { StoreFeed } from '../runtime/store-feed.ts';
import type { Follower } from '../store/follower.ts';
import { keys, parseObjectKey } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import type { Binding, LabelSelector, PolicyRule, Role, Subject } from './policy.ts';
import { PolicyIndex } from './policy-index.ts';
import { ServiceAccounts } from './service-accounts.ts';

export interface Policy {
  index: PolicyIndex;
  accounts: ServiceAccounts;
  /** Resolves when the policy of the last commit counts. */
  upToDate(): Promise<void>;
  /** Calls `listener` after each change of the policy. */
  onChanged(listener: () => void): void;
}

/** Loads the policy and follows it until `signal` aborts. `onEnd` is told why it cannot be followed any more. */
export async function followPolicy(
  store: Store,
  signal: AbortSignal,
  onEnd: (error: PlumbError) => void,
): Promise<Policy> {
  const index = new PolicyIndex();
  const accounts = new ServiceAccounts();
  const take = new Map<string, Take>([
    [
      'roles',
      {
        put: (at, object) => index.putRole(at.namespace, roleOf(at, object)),
        remove: (at) => index.removeRole(at.namespace, at.name),
      },
    ],
    [
      'clusterroles',
      {
        put: (at, object) => index.putClusterRole(roleOf(at, object)),
        remove: (at) => index.removeClusterRole(at.name),
      },
    ],
    [
      'rolebindings',
      {
        put: (at, object) => index.putBinding(at.namespace, bindingOf(at, object)),
        remove: (at) => index.removeBinding(at.namespace, at.name),
      },
    ],
    [
      'clusterrolebindings',
      {
        put: (at, object) => index.putBinding('', bindingOf(at, object)),
        remove: (at) => index.removeBinding('', at.name),
      },
    ],
    [
      'serviceaccounts',
      {
        put: (at, object) => accounts.put(at.namespace, at.name, textOf(metadataOf(object).uid)),
        remove: (at) => accounts.remove(at.namespace, at.name),
      },
    ],
  ]);
  const feed = new StoreFeed(
    store,
    [...take].map(([plural, how]) => new PolicyFollower(keys.kind(plural), how)),
  );
  await feed.load(signal);
  await feed.follow(signal, onEnd);
  return {
    ...{ index, accounts },
    upToDate: () => feed.upToDate(),
    onChanged(listener) {
      let { version } = index;
      feed.onReached(() => {
        if (version === index.version) return;
        version = index.version;
        listener();
      });
    },
  };
}

interface Place {
  namespace: string;
  name: string;
}

type Fields = Record<string, unknown>;

interface Take {
  put(at: Place, object: Fields): void;
  remove(at: Place): void;
}

class PolicyFollower implements Follower {
  readonly prefix: string;
  readonly #take: Take;
  readonly #revisions = new Map<string, number>();

  constructor(prefix: string, take: Take) {
    this.prefix = prefix;
    this.#take = take;
  }

  take(key: string, value: string | undefined, revision: number): void {
    if (value === undefined) this.#revisions.delete(key);
    else this.#revisions.set(key, revision);
    const at = parseObjectKey(key);
    if (!at) return;
    const object = value === undefined ? undefined : parsed(value);
    if (object) this.#take.put(at, object);
    else this.#take.remove(at);
  }

  knownRevision(key: string): number | undefined {
    return this.#revisions.get(key);
  }

  knownKeys(): Iterable<string> {
    return this.#revisions.keys();
  }
}

function parsed(text: string): Fields | undefined {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Names count as the key says them: what an object says of itself may have been made by a faulty hand. */
function roleOf({ namespace, name }: Place, object: Fields): Role {
  const { aggregationRule } = object;
  return {
    metadata: { name, ...(namespace === '' ? {} : { namespace }), labels: textsByName(metadataOf(object).labels) },
    rules: listOf(object.rules).map(ruleOf),
    ...(aggregationRule === undefined || aggregationRule === null
      ? {}
      : {
          aggregationRule: {
            clusterRoleSelectors: listOf(fieldsOf(aggregationRule)?.clusterRoleSelectors).map(selectorOf),
          },
        }),
  };
}

function ruleOf(rule: unknown): PolicyRule {
  const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = fieldsOf(rule) ?? {};
  return {
    verbs: textsOf(verbs),
    ...(apiGroups === undefined ? {} : { apiGroups: textsOf(apiGroups) }),
    ...(resources === undefined ? {} : { resources: textsOf(resources) }),
    ...(resourceNames === undefined ? {} : { resourceNames: textsOf(resourceNames) }),
    ...(nonResourceURLs === undefined ? {} : { nonResourceURLs: textsOf(nonResourceURLs) }),
  };
}

function selectorOf(selector: unknown): LabelSelector {
  const { matchLabels, matchExpressions } = fieldsOf(selector) ?? { matchExpressions: [{}] };
  return {
    matchLabels: textsByName(matchLabels),
    matchExpressions: listOf(matchExpressions).map((one) => {
      const { key, operator, values } = fieldsOf(one) ?? {};
      return { key: textOf(key), operator: textOf(operator), values: textsOf(values) };
    }),
  };
}

function bindingOf({ namespace, name }: Place, object: Fields): Binding {
  const { apiGroup, kind, name: role } = fieldsOf(object.roleRef) ?? {};
  return {
    metadata: { name, ...(namespace === '' ? {} : { namespace }) },
    subjects: listOf(object.subjects).map(subjectOf),
    roleRef: { apiGroup: textOf(apiGroup), kind: textOf(kind), name: textOf(role) },
  };
}

function subjectOf(subject: unknown): Subject {
  const { kind, name, namespace } = fieldsOf(subject) ?? {};
  return { kind: textOf(kind), name: textOf(name), namespace: textOf(namespace) };
}

function metadataOf(object: Fields): Fields {
  return fieldsOf(object.metadata) ?? {};
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** What is no list, or no text in it, allows nothing: it must not leave a list empty, since no names mean every name. */
function textsOf(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value.map((one) => (typeof one === 'string' ? one : NEVER)) : [NEVER];
}

/** Nothing is called that. */
const NEVER = '\0';

function textsByName(value: unknown): Record<string, string> {
  const texts = Object.entries(fieldsOf(value) ?? {}).filter(([, one]) => typeof one === 'string');
  return Object.fromEntries(texts) as Record<string, string>;
}

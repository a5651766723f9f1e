/**
 * Acting as somebody else: the headers Impersonate-User, -Group, -Uid and -Extra-*, each of which needs the right `impersonate`.
 * What they say replaces the identity wholly, as in Kubernetes: nothing of who asks remains but a word in the audit log.
 */
import type { ResourceAttributes } from '../authorization/policy.ts';
import { serviceAccountGroups, serviceAccountOf } from '../authorization/service-account-name.ts';
import type { User } from '../pki/tokens.ts';
import { type Access, authorize, resourceAttributes } from './authorize.ts';
import { badRequest } from './failure.ts';

const USER = 'impersonate-user';
const GROUP = 'impersonate-group';
const UID = 'impersonate-uid';
const EXTRA = 'impersonate-extra-';

export const ANONYMOUS = 'system:anonymous';
export const AUTHENTICATED = 'system:authenticated';
export const UNAUTHENTICATED = 'system:unauthenticated';

const AUTHENTICATION = 'authentication.k8s.io';

/**
 * Whom the request is to be taken for; undefined when it says nothing of that. `headers`: name and value in turn, as they came: a
 * value may have commas. Throws PlumbError `BadRequest`, and {@link Forbidden} when the user may not.
 */
export function impersonated(access: Access, user: User, headers: readonly string[]): User | undefined {
  const wish = wishOf(headers);
  if (!wish) return undefined;
  const { name, groups, uid, extra } = wish;
  const account = serviceAccountOf(name);
  const needed: ResourceAttributes[] = [
    account ? asking({ resource: 'serviceaccounts', ...account }) : asking({ resource: 'users', name }),
    ...groups.map((group) => asking({ resource: 'groups', name: group })),
    ...[...extra].flatMap(([key, values]) =>
      values.map((value) => asking({ group: AUTHENTICATION, resource: 'userextras', subresource: key, name: value })),
    ),
    ...(uid === '' ? [] : [asking({ group: AUTHENTICATION, resource: 'uids', name: uid })]),
  ];
  for (const one of needed) authorize(access, user, one);
  const given = groups.length === 0 && account ? serviceAccountGroups(account.namespace) : groups;
  return {
    name,
    groups: [...given, ...impliedGroup(name, given)],
    ...(uid === '' ? {} : { uid }),
    ...(extra.size === 0 ? {} : { extra: Object.fromEntries(extra) }),
    // It ends with who asks.
    ...(user.until ? { until: user.until } : {}),
    ...(user.expiresAt === undefined ? {} : { expiresAt: user.expiresAt }),
  };
}

function asking(of: Pick<ResourceAttributes, 'resource' | 'name'> & Partial<ResourceAttributes>): ResourceAttributes {
  return resourceAttributes({ verb: 'impersonate', ...of });
}

function impliedGroup(name: string, groups: readonly string[]): string[] {
  if (name === ANONYMOUS) return groups.includes(UNAUTHENTICATED) ? [] : [UNAUTHENTICATED];
  return groups.includes(AUTHENTICATED) || groups.includes(UNAUTHENTICATED) ? [] : [AUTHENTICATED];
}

interface Wish {
  name: string;
  groups: string[];
  uid: string;
  extra: Map<string, string[]>;
}

function wishOf(headers: readonly string[]): Wish | undefined {
  const wish: Wish = { name: '', groups: [], uid: '', extra: new Map() };
  let says = false;
  for (let i = 0; i < headers.length; i += 2) {
    const header = headers[i]!.toLowerCase();
    if (!header.startsWith('impersonate-')) continue;
    const value = headers[i + 1] ?? '';
    says = true;
    if (header === USER) wish.name ||= value;
    else if (header === GROUP) wish.groups.push(value);
    else if (header === UID) wish.uid ||= value;
    else if (header.startsWith(EXTRA)) {
      const key = unescaped(header.slice(EXTRA.length));
      wish.extra.set(key, [...(wish.extra.get(key) ?? []), value]);
    } else throw badRequest(`the header ${header.slice(0, 80)} is not known: nothing is done as somebody else by it`);
  }
  if (!says) return undefined;
  if (wish.name === '') throw badRequest('groups, a uid or extra fields are given without a user to impersonate');
  return wish;
}

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

/** What ServiceAccounts are called as users: `system:serviceaccount:lab:ci`. */
const PREFIX = 'system:serviceaccount:';
const GROUP = 'system:serviceaccounts';

/** Which ServiceAccount the user is; undefined when it is none. */
export function serviceAccountOf(user: string): { namespace: string; name: string } | undefined {
  if (!user.startsWith(PREFIX)) return undefined;
  const [namespace = '', name = '', ...rest] = user.slice(PREFIX.length).split(':');
  return namespace === '' || name === '' || rest.length > 0 ? undefined : { namespace, name };
}

/** The groups that every ServiceAccount of the namespace is in, beside `system:authenticated`. */
export function serviceAccountGroups(namespace: string): string[] {
  return [GROUP, `${GROUP}:${namespace}`];
}

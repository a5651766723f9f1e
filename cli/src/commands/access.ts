import { ApiError } from '@plumb/client/errors.ts';
import { terminal } from '@plumb/schemas/meta/error.ts';
import { type Command, parseCommand, type Session, withSession } from '../command.ts';
import { parseDuration } from '../duration.ts';
import { resourceByAlias } from '../resources.ts';
import type { Surroundings } from '../surroundings.ts';

const SELF = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
const MAY_I = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

export const access: Command = {
  usage: `plumb access whoami                       who the server takes you for
plumb access can-i VERB KIND[/NAME]       whether you may do that in the project (-n), e.g. create instances; use zone/home;
                                          create flows/retry; the exit code is 0 for yes, 1 for no
plumb access can-i VERB /PATH             the same of a path that is no object, e.g. get /metrics
plumb access token ACCOUNT [--ttl 1h] [--out FILE]
                                          a token of a ServiceAccount of the project (-n), shown only here; --out writes a
                                          kubeconfig with it, for this server and project, that you alone can read

What a ServiceAccount may do, RoleBindings say. Its tokens end with their time, or when it is deleted.
`,
  run(argv, surroundings) {
    const { values, positionals } = parseCommand(argv, {
      ttl: { type: 'string', default: '1h' },
      out: { type: 'string' },
    });
    const [verb, ...words] = positionals;
    return withSession(values, surroundings, async (session) => {
      if (verb === 'whoami' && words.length === 0) return whoami(session, surroundings);
      if (verb === 'can-i' && words.length === 2) return canI(session, surroundings, words[0]!, words[1]!);
      if (verb === 'token' && words.length === 1)
        return token(session, surroundings, words[0]!, { ttl: values.ttl as string, out: values.out });
      throw terminal(
        'BadArgument',
        'plumb access whoami, can-i VERB KIND or token ACCOUNT; plumb access --help says more',
      );
    });
  },
};

async function whoami({ client }: Session, { out }: Surroundings): Promise<number> {
  const { status } = await client.send('POST', SELF, { body: {} });
  const { username, groups = [] } = status.userInfo as { username: string; groups?: string[] };
  out(`${username}\n${groups.map((group) => `  ${group}\n`).join('')}`);
  return 0;
}

async function canI(session: Session, { out }: Surroundings, verb: string, what: string): Promise<number> {
  const spec = what.startsWith('/')
    ? { nonResourceAttributes: { verb, path: what } }
    : { resourceAttributes: { verb, ...attributesOf(what, session.namespace) } };
  const { status } = await session.client.send('POST', MAY_I, { body: { spec } });
  const { allowed, reason = '' } = status as { allowed: boolean; reason?: string };
  out(`${allowed ? 'yes' : 'no'}${reason === '' ? '' : ` - ${reason}`}\n`);
  return allowed ? 0 : 1;
}

/** `instances`, `instance/web-0`, `flows/retry`, `secrets`: what is no kind is an endpoint of ours, with what is below it. */
function attributesOf(word: string, namespace: string) {
  const [kind = '', below] = word.split('/', 2);
  try {
    const { apiVersion, plural, namespaced } = resourceByAlias(kind);
    const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
    const where = namespaced ? { namespace } : {};
    return { group, resource: plural, ...where, ...(below === undefined ? {} : { name: below }) };
  } catch {
    return { group: 'plumb.dev', resource: kind, namespace, ...(below === undefined ? {} : { subresource: below }) };
  }
}

async function token(
  { client, access: reached, namespace }: Session,
  { out, err }: Surroundings,
  account: string,
  { ttl, out: file }: { ttl: string; out: string | undefined },
): Promise<number> {
  const expirationSeconds = Math.ceil(parseDuration(ttl, '--ttl') / 1000);
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(account)}/token`;
  const { status } = await client.send('POST', path, { body: { spec: { expirationSeconds } } });
  const made = status as { token: string; expirationTimestamp: string };
  const until = `it expires at ${made.expirationTimestamp}`;
  if (file === undefined) {
    out(`${made.token}\n`);
    err(`the token of ServiceAccount ${namespace}/${account}: ${until}\n`);
    return 0;
  }
  const [{ yamlText }, { writePrivate }] = await Promise.all([
    import('../yaml-text.ts'),
    import('@plumb/schemas/files/private-file.ts'),
  ]);
  const [server] = reached.endpoints;
  const cluster = {
    server,
    ...(reached.ca ? { 'certificate-authority-data': Buffer.from(reached.ca).toString('base64') } : {}),
    ...(reached.serverName ? { 'tls-server-name': reached.serverName } : {}),
    ...(reached.proxy ? { 'proxy-url': reached.proxy } : {}),
  };
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'plumb', cluster }],
    users: [{ name: account, user: { token: made.token } }],
    contexts: [{ name: 'plumb', context: { cluster: 'plumb', user: account, namespace } }],
    'current-context': 'plumb',
  };
  await writePrivate(file, yamlText(kubeconfig));
  err(`${file} is a kubeconfig of ServiceAccount ${namespace}/${account}: ${until}\n`);
  return 0;
}

/** Whether an answer says that this person may not do it. */
export function isForbidden(error: unknown): boolean {
  return error instanceof ApiError && error.status === 403;
}

/**
 * `POST /hooks/git/<project>/<name>`: a git server says that there is a new commit. It has no token, but has signed what it says with
 * the secret that `spec.webhookSecretName` names. All that it can bring about is a look.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type GitSource, gitSource, secret, terminal } from '@plumb/schemas';
import { plain, type Reply } from '../api/reply.ts';
import type { ApiRequest } from '../api/request.ts';
import type { Context } from '../controllers/controller.ts';
import { lookNow } from '../controllers/git-source/person.ts';
import { keys } from '../store/keys.ts';
import { decodeObject } from '../store/object-codec.ts';

/** Key of the Secret's data. */
const TOKEN = 'token';

export type Hook = (request: ApiRequest) => Promise<Reply | undefined>;

/** Undefined for another path. `context` throws while the server loads. */
export function gitHook(context: () => Context): Hook {
  let open = 0;
  return async (request) => {
    const [hooks, git, namespace, name, ...rest] = request.segments;
    if (request.method !== 'POST' || hooks !== 'hooks' || git !== 'git' || !namespace || !name || rest.length > 0)
      return undefined;
    const now = context();
    if (open >= now.limits.gitHooksAtOnce)
      throw terminal('TooManyRequests', 'more webhooks are being read than the server takes at once: send it again');
    open++;
    try {
      request.limits = { ...request.limits, bodyBytes: now.limits.gitHookBytes };
      const body = await request.bytes();
      const token = await tokenOf(now, namespace, name);
      // The same for all that is wrong: it tells neither which sources there are nor which of them listen.
      if (!isSigned(token ?? '', body, request.headers) || token === undefined)
        return plain(403, 'the webhook is not known here, or not signed with its secret\n');
      await lookNow(now, namespace, name);
      return plain(202, 'the repository is looked at\n');
    } finally {
      open--;
    }
  };
}

async function tokenOf({ read, store }: Context, namespace: string, name: string): Promise<string | undefined> {
  const source = read.get<GitSource>(keys.object(gitSource.plural, namespace, name))?.object;
  const named = source?.spec.webhookSecretName;
  const entry = named === undefined ? undefined : await store.get(keys.object(secret.plural, namespace, named));
  const { data } = (entry ? decodeObject(entry) : {}) as { data?: Record<string, string> };
  const token = Buffer.from(data?.[TOKEN] ?? '', 'base64').toString('utf8');
  return token === '' ? undefined : token;
}

/** As GitHub and Gitea sign what they send, or with the secret itself, as GitLab shows it. */
function isSigned(token: string, body: Buffer, headers: IncomingHttpHeaders): boolean {
  const hmac = createHmac('sha256', token).update(body).digest('hex');
  const shown = headers['x-gitlab-token'];
  if (typeof shown === 'string') return isSame(shown, token);
  const signature = headers['x-hub-signature-256'] ?? headers['x-gitea-signature'];
  return typeof signature === 'string' && isSame(signature.replace(/^sha256=/, ''), hmac);
}

/** Takes the same time whatever they are. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

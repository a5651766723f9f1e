/** What of the APIs of GitHub and GitLab pipelines use: comments and issues, with their authors, in pages. Only that is a stand-in. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Comment {
  id: number;
  /** Of the pull request or merge request. */
  on?: number;
  user: string;
  body: string;
}

export interface Issue extends Comment {
  title: string;
  open: boolean;
}

export interface Forge {
  url: string;
  /** Writes that came, as `METHOD path`. */
  writes: string[];
  comments: Comment[];
  issues: Issue[];
  /** Commits by which pull requests came. */
  merged: Map<string, number>;
  close(): Promise<void>;
}

/** Who has the token; what anybody else asks is 401. */
export async function startForge(token: string, me: string): Promise<Forge> {
  let last = 100;
  const state = { writes: [] as string[], comments: [] as Comment[], issues: [] as Issue[], merged: new Map() };
  const { comments, issues, merged, writes } = state;

  const answer = (method: string, url: URL, body: Record<string, string>): unknown => {
    const path = url.pathname;
    const page = <T>(items: T[]) => {
      const [size, at] = [Number(url.searchParams.get('per_page')), Number(url.searchParams.get('page'))];
      return items.slice(size * (at - 1), size * at);
    };
    const text = body.body ?? body.description ?? '';
    if (method !== 'GET') writes.push(`${method} ${path}`);
    const asked = `${method} ${path}`;
    const commit = /\/commits\/(\w+)\/(pulls|merge_requests)$/.exec(path);
    if (commit) {
      const [, sha, of] = commit;
      const number = merged.get(sha);
      if (number === undefined) return [];
      return of === 'pulls'
        ? [{ number, merged_at: '2026-01-01T00:00:00Z', merge_commit_sha: sha }]
        : [{ iid: number, state: 'merged', merge_commit_sha: sha, squash_commit_sha: null, sha: 'f'.repeat(40) }];
    }
    if (path === '/user') return { username: me };
    const of = /^(GET|POST) .*\/(?:issues|merge_requests)\/(\d+)\/(?:comments|notes)$/.exec(asked);
    if (of?.[1] === 'GET') return page(comments.filter(({ on }) => on === Number(of[2])).map(said));
    if (of) {
      comments.push({ id: ++last, on: Number(of[2]), user: me, body: text });
      return said(comments.at(-1)!);
    }
    const edited = /^(?:PATCH|PUT) .*\/(?:comments|notes)\/(\d+)$/.exec(asked);
    if (edited) return said(Object.assign(comments.find(({ id }) => id === Number(edited[1]))!, { body: text }));
    if (/^GET .*\/issues$/.test(asked)) return page(issues.filter(({ open }) => open).map(saidIssue));
    if (/^POST .*\/issues$/.test(asked)) {
      issues.push({ id: ++last, user: me, title: body.title ?? '', body: text, open: true });
      return saidIssue(issues.at(-1)!);
    }
    const issue = /^(?:PATCH|PUT) .*\/issues\/(\d+)$/.exec(asked);
    if (issue) {
      const of = issues.find(({ id }) => id === Number(issue[1]))!;
      if (text) of.body = text;
      if (body.state === 'closed' || body.state_event === 'close') of.open = false;
      return saidIssue(of);
    }
    return undefined;
  };

  const server = createServer(async (request, response) => {
    const { headers, method = '', url = '' } = request;
    const known = headers.authorization === `Bearer ${token}` || headers['private-token'] === token;
    const found = known ? answer(method, new URL(url, 'http://forge'), await bodyOf(request)) : undefined;
    response.writeHead(known ? (found === undefined ? 404 : 200) : 401, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found ?? { message: 'no' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    ...state,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** As both name things, together. */
function said({ id, user, body }: Comment) {
  return { id, body, user: { login: user }, author: { username: user } };
}

function saidIssue(issue: Issue) {
  const { id, title, body } = issue;
  return { ...said(issue), number: id, iid: id, title, description: body };
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, string>> {
  let text = '';
  for await (const part of request) text += part;
  return text === '' ? {} : JSON.parse(text);
}

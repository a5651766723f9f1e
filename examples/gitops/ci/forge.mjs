/**
 * Comments and issues of GitHub and GitLab. Only what this job's own account wrote is believed or changed: a comment of anybody else
 * that looks like ours is theirs.
 */
import { readFileSync } from 'node:fs';
import { Refused } from './plumb.mjs';

const TIMEOUT_MS = 30_000;
const PAGE = 100;
/** More comments than this are no conversation. */
const MOST_PAGES = 50;

/** By the variables that each sets in every job. */
export function forgeOf(env = process.env) {
  if (env.GITHUB_REPOSITORY) return github(env);
  if (env.CI_PROJECT_ID) return gitlab(env);
  throw new Refused('neither GITHUB_REPOSITORY nor CI_PROJECT_ID is set: this runs in GitHub Actions and in GitLab CI');
}

function github(env) {
  const ask = asker(env.GITHUB_API_URL, { authorization: `Bearer ${env.FORGE_TOKEN}` }, env);
  const repository = `/repos/${env.GITHUB_REPOSITORY}`;
  const author = env.FORGE_USER || 'github-actions[bot]';
  const own = ({ user }) => user?.login === author;
  return {
    change: () => JSON.parse(readFileSync(env.GITHUB_EVENT_PATH, 'utf8')).pull_request?.number,
    async changeOf(sha) {
      const pulls = await ask('GET', `${repository}/commits/${sha}/pulls`);
      return pulls.find((pull) => pull.merged_at && pull.merge_commit_sha === sha)?.number;
    },
    sha: env.GITHUB_SHA,
    comments: async (number) =>
      (await all(ask, `${repository}/issues/${number}/comments`)).filter(own).map(({ id, body }) => ({ id, body })),
    comment: (number, body) => ask('POST', `${repository}/issues/${number}/comments`, { body }),
    editComment: (_number, id, body) => ask('PATCH', `${repository}/issues/comments/${id}`, { body }),
    issues: async () =>
      (await all(ask, `${repository}/issues`, 'state=open'))
        .filter((issue) => own(issue) && !issue.pull_request)
        .map(({ number, body }) => ({ id: number, body })),
    issue: (title, body) => ask('POST', `${repository}/issues`, { title, body }),
    editIssue: (id, body) => ask('PATCH', `${repository}/issues/${id}`, { body }),
    closeIssue: (id) => ask('PATCH', `${repository}/issues/${id}`, { state: 'closed' }),
  };
}

function gitlab(env) {
  const ask = asker(env.CI_API_V4_URL, { 'private-token': env.FORGE_TOKEN }, env);
  const project = `/projects/${env.CI_PROJECT_ID}`;
  const notes = (number) => `${project}/merge_requests/${number}/notes`;
  let me;
  const own = async (items) => {
    me ??= (await ask('GET', '/user')).username;
    return items.filter(({ author }) => author?.username === me);
  };
  return {
    change: () => env.CI_MERGE_REQUEST_IID,
    async changeOf(sha) {
      const merges = await ask('GET', `${project}/repository/commits/${sha}/merge_requests`);
      const ends = (one) => [one.merge_commit_sha, one.squash_commit_sha, one.sha].includes(sha);
      return merges.find((one) => one.state === 'merged' && ends(one))?.iid;
    },
    sha: env.CI_COMMIT_SHA,
    comments: async (number) =>
      (await own(await all(ask, notes(number), 'sort=asc'))).map(({ id, body }) => ({ id, body })),
    comment: (number, body) => ask('POST', notes(number), { body }),
    editComment: (number, id, body) => ask('PUT', `${notes(number)}/${id}`, { body }),
    issues: async () =>
      (await own(await all(ask, `${project}/issues`, 'state=opened'))).map(({ iid, description }) => ({
        id: iid,
        body: description,
      })),
    issue: (title, description) => ask('POST', `${project}/issues`, { title, description }),
    editIssue: (id, description) => ask('PUT', `${project}/issues/${id}`, { description }),
    closeIssue: (id) => ask('PUT', `${project}/issues/${id}`, { state_event: 'close' }),
  };
}

function asker(url, credentials, env) {
  if (!env.FORGE_TOKEN) throw new Refused('FORGE_TOKEN is not set: comments and issues are written with it');
  return async (method, path, body) => {
    const headers = { ...credentials, accept: 'application/json', 'content-type': 'application/json' };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const sent = body ? JSON.stringify(body) : undefined;
    // A redirect could lead the token elsewhere.
    const answer = await fetch(url + path, { method, headers, body: sent, signal, redirect: 'error' }).catch(
      (error) => {
        throw new Refused(`${method} ${path}: no answer: ${error.cause?.code ?? error.name}`);
      },
    );
    if (!answer.ok) throw new Refused(`${method} ${path} was answered with ${answer.status} ${answer.statusText}`);
    return answer.json();
  };
}

async function all(ask, path, query = '') {
  const items = [];
  for (let page = 1; page <= MOST_PAGES; page++) {
    const got = await ask('GET', `${path}?${query ? `${query}&` : ''}per_page=${PAGE}&page=${page}`);
    items.push(...got);
    if (got.length < PAGE) return items;
  }
  throw new Refused(`${path} has more than ${MOST_PAGES * PAGE} entries`);
}

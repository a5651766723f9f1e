/** Health as Kubernetes serves it: whole, and check by check for who is known. */
import type { Readiness } from './readiness.ts';
import { plain, type Reply } from './reply.ts';
import type { ApiRequest } from './request.ts';

const ROOTS = ['healthz', 'livez', 'readyz'] as const;

/** Undefined when the check passes, else why it does not. */
type Check = () => Promise<string | undefined>;

/** What is asked of it: `store` is what Kubernetes has etcd for, and answers by that name, too. */
function checksOf(root: (typeof ROOTS)[number], readiness: Readiness): Map<string, Check> {
  const checks = new Map<string, Check>([['ping', async () => undefined]]);
  if (root !== 'readyz') return checks;
  const ready: Check = () => readiness.problem();
  return checks.set('store', ready).set('etcd', ready);
}

/** Paths that are answered, for the index. */
export const HEALTH_PATHS: readonly string[] = ROOTS.flatMap((root) => [`/${root}`, `/${root}/ping`]);

/**
 * The answer of `/readyz`, `/livez/ping` and their like; undefined for other paths. `?verbose` names each check, `?exclude=NAME` leaves
 * one out.
 */
export async function health(
  { path, segments, query }: Pick<ApiRequest, 'path' | 'segments' | 'query'>,
  readiness: Readiness,
): Promise<Reply | undefined> {
  const [first, name, ...rest] = segments;
  const root = ROOTS.find((one) => one === first);
  if (!root || rest.length > 0 || path.endsWith('/')) return undefined;
  const checks = checksOf(root, readiness);
  if (name !== undefined) {
    const check = checks.get(name);
    if (!check) return undefined;
    const problem = await check();
    return problem === undefined ? plain(200, 'ok') : plain(503, `not ready: ${problem}`);
  }
  const excluded = new Set(query.getAll('exclude'));
  const lines: string[] = [];
  let failed: string | undefined;
  for (const [each, check] of checks) {
    if (each === 'etcd') continue;
    const problem = excluded.has(each) ? undefined : await check();
    failed ??= problem;
    if (excluded.has(each)) lines.push(`[+]${each} excluded: ok`);
    else lines.push(problem === undefined ? `[+]${each} ok` : `[-]${each} failed: ${problem}`);
  }
  if (failed !== undefined) return plain(503, `not ready: ${failed}`);
  return plain(200, query.has('verbose') ? `${lines.join('\n')}\n${root} check passed\n` : 'ok');
}

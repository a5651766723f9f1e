/** examples/gitops: its workflow files' own scripts, real git and real plumb; only the forge's API is a stand-in. */
import { spawn } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PLUMB } from '../scripts/control-plane.ts';
import { run } from '../scripts/run.ts';
import { NODE } from '../scripts/setup.ts';
import type { Estate } from './harness/estate.ts';
import { aroundInstances, HOST, ZONE } from './harness/manifests.ts';
import { estateSession } from './harness/session.ts';
import { type Forge, startForge } from './pipelines/forge.ts';
import { EXAMPLE, githubJob, gitlabJob, type JobName } from './pipelines/workflows.ts';

const FORGE_TOKEN = 'forge-token-of-the-job-1234567890';
const SECRET = 'the-password-of-web-0';
const LINES = { github: 'github-actions[bot]', gitlab: 'plumb-bot' };

type Brand = keyof typeof LINES;

const estateOf = (image: Estate['image']) => [ZONE, HOST, aroundInstances(image)].join('---');

const instance = (name: string, more = '') => `
apiVersion: plumb.dev/v1
kind: Instance
metadata: {name: ${name}, namespace: default, labels: {from: git}}
spec: {zone: home, offering: small, image: tiny, interfaces: [{name: eth0, l3Network: lab}]${more}}
`;

interface Ran {
  code: number;
  output: string;
}

describe.each<[Brand, typeof githubJob]>([
  ['github', githubJob],
  ['gitlab', gitlabJob],
])('pipelines of %s', (brand, jobOf) => {
  const session = estateSession({ name: `pipelines-${brand}`, driver: 'simulated' });
  let estate: Estate;
  let forge: Forge;
  let work: string;
  const tokens: Record<string, string> = {};
  const kubeconfigs: Record<string, string> = {};

  const plumb = async (...args: string[]) =>
    (await run(NODE, [PLUMB, ...args], { env: { KUBECONFIG: estate.kubeconfig } })).stdout;
  const git = async (...args: string[]) => (await run('git', args, { cwd: work })).stdout.trim();
  const write = (name: string, text: string) => writeFile(join(work, 'manifests', name), text);
  const commit = async (message: string) => {
    await git('add', '-A');
    await git('commit', '-q', '-m', message);
    return git('rev-parse', 'HEAD');
  };
  /** A branch with what `change` does, merged by a commit of its own. */
  const merge = async (number: number, change: () => Promise<void>, between: () => Promise<void>) => {
    await git('checkout', '-q', '-b', `change-${number}`);
    await change();
    await commit(`change ${number}`);
    await between();
    await git('checkout', '-q', 'main');
    await git('merge', '-q', '--no-ff', '-m', `merge ${number}`, `change-${number}`);
    const sha = await git('rev-parse', 'HEAD');
    forge.merged.set(sha, number);
    return sha;
  };

  /** The job as its runner does it: a fresh clone, what the workflow file says, and the variables that every job has. */
  const job = async (name: JobName, ref: string, number?: number): Promise<Ran> => {
    const clone = join(estate.folder, `job-${outputs.length}`);
    await run('git', ['clone', '-q', work, clone]);
    await run('git', ['checkout', '-q', ref], { cwd: clone });
    const sha = (await run('git', ['rev-parse', 'HEAD'], { cwd: clone })).stdout.trim();
    const { script, env } = jobOf(name, {
      'secrets.PLUMB_PLAN_KUBECONFIG': kubeconfigs.plan!,
      'secrets.PLUMB_APPLY_KUBECONFIG': kubeconfigs.apply!,
      'github.token': FORGE_TOKEN,
      PLUMB_PLAN_KUBECONFIG: kubeconfigs.plan!,
      PLUMB_APPLY_KUBECONFIG: kubeconfigs.apply!,
      PLUMB_COMMENT_TOKEN: FORGE_TOKEN,
    });
    const event = join(clone, '.git', 'event.json');
    await writeFile(event, JSON.stringify({ pull_request: number === undefined ? undefined : { number } }));
    const ofBrand =
      brand === 'github'
        ? {
            GITHUB_API_URL: forge.url,
            GITHUB_REPOSITORY: 'team/estate',
            GITHUB_SHA: sha,
            GITHUB_EVENT_PATH: event,
          }
        : {
            CI_API_V4_URL: forge.url,
            CI_PROJECT_ID: '7',
            CI_COMMIT_SHA: sha,
            ...(number === undefined ? {} : { CI_MERGE_REQUEST_IID: String(number) }),
          };
    const child = spawn('sh', ['-e', '-c', prelude + script.replace(/^node /gm, `${NODE} `)], {
      cwd: clone,
      env: {
        PATH: process.env.PATH,
        HOME: clone,
        TMPDIR: estate.folder,
        PLUMB: `${NODE} ${PLUMB}`,
        ...ofBrand,
        ...env,
        ...extra,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part) => {
        output += part;
      });
    const code = await new Promise<number>((resolve) => child.on('close', (ended) => resolve(ended ?? -1)));
    outputs.push(output);
    return { code, output };
  };
  const outputs: string[] = [];
  /** Beside what the workflow file says. */
  let extra: Record<string, string> = {};
  let prelude = '';
  const lastComment = () => forge.comments.filter(({ user }) => user === LINES[brand]).at(-1)?.body ?? '';

  beforeAll(async () => {
    estate = session.estate();
    forge = await startForge(FORGE_TOKEN, LINES[brand]);
    await plumb('apply', '-f', join(EXAMPLE, 'access.yaml'));
    const access = join(estate.folder, 'image-access.yaml');
    await writeFile(access, IMAGES_FROM_FILES);
    await plumb('apply', '-f', access);
    for (const name of ['plan', 'apply']) {
      const file = join(estate.folder, `${name}.kubeconfig`);
      await plumb('access', 'token', name, '-n', 'pipelines', '--ttl', '1h', '--out', file);
      kubeconfigs[name] = await readFile(file, 'utf8');
      tokens[name] = /token"?: "?([^"\s]+)/.exec(kubeconfigs[name])![1]!;
    }
    work = join(estate.folder, 'work');
    await mkdir(join(work, 'manifests'), { recursive: true });
    await cp(join(EXAMPLE, 'ci'), join(work, 'ci'), { recursive: true });
    await git('init', '-q', '-b', 'main');
    await git('config', 'user.email', 'person@example.org');
    await git('config', 'user.name', 'person');
    await write('estate.yaml', estateOf(estate.image));
    await commit('the estate');
    await plumb('apply', '-f', join(work, 'manifests'), '--force-conflicts');
  });
  afterAll(() => forge?.close());

  // What does not depend on the forge is tried with one of them.
  const once = brand === 'github' ? test : () => {};

  test('a change is planned in one comment: placement, addresses, cost; again it is the same, changed it is written anew', async () => {
    await merge(
      1,
      () => write('web-0.yaml', instance('web-0', `, userData: "#cloud-config\\npassword: ${SECRET}\\n"`)),
      async () => {
        expect(await job('plan', 'change-1', 1)).toMatchObject({ code: 0 });
        expect(lastComment()).toMatch(/\+ instance\/web-0 will be created, on host-1 with 10\.20\.0\.\d+ \(eth0/);
        expect(lastComment()).toContain('spec.userData: (not shown)');
        const writes = forge.writes.length;
        expect(await job('plan', 'change-1', 1)).toMatchObject({ code: 0 });
        expect(forge.writes).toHaveLength(writes);
        await write('web-1.yaml', instance('web-1', ', sshKeys: ["ssh-ed25519 AAAA ```` @everybody"]'));
        await commit('more');
        expect(await job('plan', 'change-1', 1)).toMatchObject({ code: 0 });
        expect(forge.comments).toHaveLength(1);
        expect(lastComment()).toContain('instance/web-1 will be created');
        // What is declared does not end the block that shows it.
        expect(lastComment()).toMatch(/\n`````text\n[\s\S]*````[^`][\s\S]*\n`````$/);
      },
    );
  });

  test('a merge applies what was shown, waits until it is so, and says so; again it does nothing', async () => {
    const first = await job('apply', 'main');
    expect(first, first.output).toMatchObject({ code: 0 });
    expect(first.output).toContain('instance/web-0');
    expect(await plumb('get', 'instances', 'web-0')).toMatch(/host-1.*True/);
    expect(forge.comments).toHaveLength(1);
    expect(lastComment()).toContain('### Plumb: applied by');
    const writes = forge.writes.length;
    expect(await job('apply', 'main')).toMatchObject({ code: 0 });
    expect(forge.writes).toHaveLength(writes);
  });

  once(
    'when the world has moved since, nothing is applied, the comment shows what would be done now, and a second run does that',
    async () => {
      await merge(
        2,
        () => write('web-2.yaml', instance('web-2')),
        async () => {
          await job('plan', 'change-2', 2);
          // What the plan foresaw for web-2 is taken by another.
          const address = /instance\/web-2 .* with (10\.20\.0\.\d+)/.exec(lastComment())![1]!;
          const other = join(estate.folder, 'other.yaml');
          await writeFile(
            other,
            instance('other').replace('l3Network: lab', `l3Network: lab, addresses: [${address}]`),
          );
          await plumb('apply', '-f', other);
        },
      );
      const refused = await job('apply', 'main');
      expect(refused.code).toBe(1);
      expect(refused.output).toContain('the world has moved since the plan was made');
      expect(await plumb('get', 'instances')).not.toContain('web-2');
      expect(forge.comments).toHaveLength(2);
      expect(lastComment()).toMatch(/run the job that applies again[\s\S]*instance\/web-2 will be created/);
      expect(await job('apply', 'main')).toMatchObject({ code: 0 });
      expect(await plumb('get', 'instances')).toContain('web-2');
    },
  );

  once('what moves between plan and apply is found by the server: plumb apply --plan is refused', async () => {
    // Between the two of one job: a plumb that does it, in place of the job's, before it applies.
    const between = join(estate.folder, 'between.sh');
    const program = `#!/bin/sh
case "$1" in apply) env KUBECONFIG=${estate.kubeconfig} ${NODE} ${PLUMB} apply -f ${join(estate.folder, 'between.yaml')} >&2;; esac
exec ${NODE} ${PLUMB} "$@"
`;
    await writeFile(between, program, { mode: 0o755 });
    await merge(
      3,
      () => write('web-3.yaml', instance('web-3')),
      async () => {
        await job('plan', 'change-3', 3);
        const address = /instance\/web-3 .* with (10\.20\.0\.\d+)/.exec(lastComment())![1]!;
        await writeFile(
          join(estate.folder, 'between.yaml'),
          instance('between').replace('l3Network: lab', `l3Network: lab, addresses: [${address}]`),
        );
      },
    );
    extra = { PLUMB: between };
    const refused = await job('apply', 'main');
    extra = {};
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('PlanOutdated');
    expect(lastComment()).toMatch(/failed[\s\S]*PlanOutdated/);
    expect(await plumb('get', 'instances')).not.toContain('web-3');
    // The plan of before is what the comment stands for, so a second run shows the new one, and a third does it.
    expect(await job('apply', 'main')).toMatchObject({ code: 1 });
    expect(await job('apply', 'main')).toMatchObject({ code: 0 });
  });

  once('files that are not those of the plan are not applied, nor what nobody has seen', async () => {
    const sha = await merge(
      4,
      () => write('web-4.yaml', instance('web-4')),
      () => job('plan', 'change-4', 4).then(() => undefined),
    );
    await write('web-5.yaml', instance('web-5'));
    const pushed = await commit('straight to main');
    const unseen = await job('apply', 'main');
    expect(unseen).toMatchObject({ code: 1, output: expect.stringContaining(`${pushed} came by no`) });
    forge.merged.set(pushed, 4);
    const other = await job('apply', 'main');
    expect(other).toMatchObject({ code: 1, output: expect.stringContaining('not those that the plan was made of') });
    expect(await plumb('get', 'instances')).not.toMatch(/web-[45]/);
    expect(sha).not.toBe(pushed);
    expect(await job('apply', 'main')).toMatchObject({ code: 0 });
    expect(await plumb('get', 'instances')).toMatch(/web-4[\s\S]*web-5/);
  });

  test('what somebody else wrote is neither believed nor changed', async () => {
    const sha = await merge(
      5,
      () => write('web-6.yaml', instance('web-6')),
      async () => {
        await job('plan', 'change-5', 5);
      },
    );
    const own = forge.comments.pop()!;
    for (let n = 0; n < 120; n++) forge.comments.push({ ...own, id: 1000 + n, user: 'mallory' });
    const refused = await job('apply', sha);
    expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('no plan was shown before') });
    expect(forge.comments.filter(({ user }) => user === 'mallory').every(({ body }) => body === own.body)).toBe(true);
    // Its own is found behind the others, on the second page.
    expect(await job('apply', sha)).toMatchObject({ code: 0 });
    expect(forge.comments.filter(({ on, user }) => on === 5 && user !== 'mallory')).toHaveLength(1);
  });

  once('what cannot be done fails the check and is said; what is not as committed is not planned', async () => {
    await merge(
      6,
      () => write('bad.yaml', instance('bad').replace('offering: small', 'offering: small, spelt: wrong')),
      async () => {
        forge.comments.length = 0;
        expect(await job('plan', 'change-6', 6)).toMatchObject({ code: 1 });
        expect(lastComment()).toMatch(/this cannot be done[\s\S]*spec\.spelt/);
        prelude = 'echo "kind: Zone" > manifests/left-by-a-step.yaml\n';
        const output = expect.stringContaining('manifests is not as it was committed');
        expect(await job('plan', 'change-6', 6)).toMatchObject({ code: 1, output });
        prelude = '';
      },
    );
    const refused = await job('apply', 'main');
    expect(refused.code).toBe(1);
    await git('revert', '--no-edit', '-m', '1', 'HEAD');
  });

  test('each night what differs is one issue, open for as long as it is so', async () => {
    expect(await job('drift', 'main')).toMatchObject({ code: 0 });
    expect(forge.issues).toEqual([]);
    await plumb('delete', 'instance', 'web-6');
    expect(await job('drift', 'main')).toMatchObject({ code: 1 });
    expect(forge.issues).toMatchObject([
      { open: true, body: expect.stringContaining('instance/web-6 will be created') },
    ]);
    const writes = forge.writes.length;
    expect(await job('drift', 'main')).toMatchObject({ code: 1 });
    expect(forge.writes).toHaveLength(writes);
    await plumb('apply', '-f', join(work, 'manifests/web-6.yaml'));
    expect(await job('drift', 'main')).toMatchObject({ code: 0 });
    expect(forge.issues).toMatchObject([{ open: false }]);
  });

  once('a report that cannot be made is no report of no drift, and closes nothing', async () => {
    forge.issues[0]!.open = true;
    extra = { PLUMB_KUBECONFIG: kubeconfigs.plan!.replaceAll(String(estate.port), '1') };
    const failed = await job('drift', 'main');
    extra = {};
    expect(failed).toMatchObject({ code: 1, output: expect.stringContaining('the report could not be made') });
    expect(forge.issues[0]!.open).toBe(true);
  });

  test('no token and no secret is in a log, a comment, an issue, or left on the machine', async () => {
    const told = [...outputs, ...forge.comments.map(({ body }) => body), ...forge.issues.map(({ body }) => body)];
    for (const secret of [FORGE_TOKEN, SECRET, ...Object.values(tokens)])
      expect(told.filter((text) => text.includes(secret))).toEqual([]);
    const left = (await run('sh', ['-c', 'ls -d "$0"/plumb-ci-* 2>/dev/null || true', estate.folder])).stdout;
    expect(left).toBe('');
  });

  test('who plans may not apply', async () => {
    const file = join(estate.folder, 'plan.kubeconfig');
    const zone = join(estate.folder, 'zone.yaml');
    await writeFile(zone, 'apiVersion: plumb.dev/v1\nkind: Zone\nmetadata: {name: mine}\n');
    await expect(plumb('apply', '--kubeconfig', file, '-f', zone)).rejects.toThrow(
      /cannot (create|patch|get)|orbidden/,
    );
  });
});

/** Images of this test are files, which is a right of its own. */
const IMAGES_FROM_FILES = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: pipelines-images}
subjects: [{kind: ServiceAccount, name: apply, namespace: pipelines}, {kind: ServiceAccount, name: plan, namespace: pipelines}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "plumb:images-from-files"}
`;

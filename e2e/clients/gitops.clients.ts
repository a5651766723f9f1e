/**
 * controller-runtime and Flux's packages against a real server with a simulated host: gitops/*. With PLUMB_RECORD=1
 * what they asked becomes what `npm test` replays (reconciler/src/api/clients-replay.test.ts).
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Estate } from '../harness/estate.ts';
import { aroundInstances, HOST, ZONE } from '../harness/manifests.ts';
import { estateSession } from '../harness/session.ts';
import { type Asked, distinct, goldenOf, slim } from './record.ts';

const run = promisify(execFile);

/** Flux's packages need this Go; the go command fetches it as it fetches modules. */
const GO = { ...process.env, GOTOOLCHAIN: 'go1.27.3' };

const session = estateSession({ name: 'clients', driver: 'simulated' });
let estate: Estate;
beforeAll(async () => {
  estate = session.estate();
});

describe.each([
  ['controller', 'a controller of controller-runtime works'],
  ['flux', 'Flux applies, waits, finds drift, prunes and deletes'],
])('%s', (name, last) => {
  test(last, async () => {
    const program = join(estate.folder, name);
    await run('go', ['build', '-o', program, `./${name}`], { cwd: join(import.meta.dirname, 'gitops'), env: GO });
    const record = join(estate.folder, `${name}.jsonl`);
    const manifests = join(estate.folder, `${name}.yaml`);
    await writeFile(manifests, estateOf(estate.image));
    if (name === 'controller') await run('kubectl', ['apply', '-f', manifests], { env: kubectlEnv() });
    // Clients keep what they discovered in their home.
    const env = { PATH: process.env.PATH, HOME: estate.folder, TMPDIR: estate.folder };
    const ran = await run(program, [estate.kubeconfig, record, manifests], { env, timeout: 400_000 });
    expect(ran.stdout.trim()).toBe(last);
    if (name === 'controller') await run('kubectl', ['delete', '-f', manifests], { env: kubectlEnv() });
    const asked = (await readFile(record, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Asked);
    if (process.env.PLUMB_RECORD) await writeFile(goldenOf(name), slim(asked, estate));
    const golden = (await readFile(goldenOf(name), 'utf8')).trim().split('\n');
    expect(distinct(asked)).toEqual(distinct(golden.map((line) => JSON.parse(line) as Asked)));
  });
});

function kubectlEnv() {
  return { PATH: process.env.PATH, HOME: estate.folder, KUBECONFIG: estate.kubeconfig };
}

function estateOf(image: Estate['image']) {
  return `${[ZONE, HOST, aroundInstances(image)].join('---')}---
apiVersion: plumb.dev/v1
kind: Instance
metadata: {name: web-0, namespace: default}
spec: {zone: home, offering: small, image: tiny, interfaces: [{name: eth0, l3Network: lab}], power: Running}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: notes, namespace: default}
data: {what: an estate}
`;
}

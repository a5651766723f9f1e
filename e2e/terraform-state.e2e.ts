/** Real Terraform keeps its state on the real API: locks, force-unlock, going back, migration, and names that hold nothing any more. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiRig, startApiRig, V1 } from '@plumb/reconciler/api/testing/rig.ts';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { run } from '../scripts/run.ts';
import { terraform } from './harness/machinery.ts';

const STATES = `${V1}/namespaces/default/terraformstates`;
const BACKEND = 'terraform {\n  backend "http" {}\n}\n';
let api: ApiRig;
let folder: string;

beforeAll(async () => {
  api = await startApiRig();
});
afterAll(() => api.stop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumb-state-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const resources = (count: number) =>
  `resource "terraform_data" "x" {\n  count = ${count}\n  input = "secret-${count}"\n}\n`;
const declare = (hcl: string) => writeFileSync(join(folder, 'main.tf'), hcl);
const make = (name: string) =>
  api.ask('POST', STATES, {
    body: { apiVersion: 'plumb.dev/v1', kind: 'TerraformState', metadata: { name }, spec: {} },
  });
const addressOf = (name: string) => `${api.url}/terraform/states/default/${name}`;
const lockInfo = (ID: string) => ({
  ID,
  Operation: 'OperationTypeApply',
  Who: 'bert@elsewhere',
  Created: '2026-01-01T00:00:00Z',
});

async function terraformIn(name: string, ...args: string[]) {
  const address = addressOf(name);
  const env = {
    ...{ TF_HTTP_ADDRESS: address, TF_HTTP_LOCK_ADDRESS: address, TF_HTTP_UNLOCK_ADDRESS: address },
    ...{ TF_HTTP_USERNAME: 'anybody', TF_HTTP_PASSWORD: api.token, TF_HTTP_RETRY_MAX: '0', CHECKPOINT_DISABLE: '1' },
    ...{ TF_HTTP_CLIENT_CA_CERTIFICATE_PEM: api.pki.authority.toString(), TF_CLI_CONFIG_FILE: '/dev/null' },
  };
  const { code, stdout, stderr } = await run(terraform!.path, args, { cwd: folder, env, accept: [0, 1, 2] });
  return { code, said: `${stdout}\n${stderr}`.replace(/[\s│╷╵]+/g, ' ') };
}
const apply = (name: string) => terraformIn(name, 'apply', '-auto-approve', '-input=false', '-no-color');
const init = (name: string, ...more: string[]) => terraformIn(name, 'init', '-input=false', '-no-color', ...more);

test('init, apply, another apply under a lock, force-unlock, going back, destroy', { timeout: 120_000 }, async () => {
  await make('prod');
  declare(BACKEND + resources(2));
  expect((await init('prod')).code).toBe(0);
  expect(await apply('prod')).toMatchObject({ code: 0 });
  const { body } = await api.ask('GET', `${STATES}/prod`);
  expect(body.status).toMatchObject({ resources: 2, writtenBy: expect.any(String) });
  expect(body.status.lock).toBeUndefined();

  await api.ask('LOCK', '/terraform/states/default/prod', { body: lockInfo('L-7') });
  const second = await apply('prod');
  expect(second.code).toBe(1);
  for (const word of ['Error acquiring the state lock', 'already locked: ID=L-7']) expect(second.said).toContain(word);
  expect((await terraformIn('prod', 'force-unlock', '-force', 'L-7')).code).toBe(0);

  declare(BACKEND + resources(3));
  expect((await apply('prod')).code).toBe(0);
  expect((await api.ask('POST', `${STATES}/prod/rollback`, { body: { serial: body.status.serial } })).status).toBe(201);
  const plan = await terraformIn('prod', 'plan', '-input=false', '-no-color', '-detailed-exitcode');
  expect(plan.code).toBe(2);
  expect(plan.said).toContain('1 to add');
  expect((await terraformIn('prod', 'destroy', '-auto-approve', '-no-color')).code).toBe(0);
  expect((await api.ask('GET', '/terraform/states/default/prod')).body.resources).toEqual([]);

  // Deleted while the folder is still set up: the next plan is told why, in the one word that Terraform prints.
  expect((await api.ask('DELETE', '/terraform/states/default/prod')).status).toBe(200);
  const after = await apply('prod');
  expect(after.code).toBe(1);
  expect(after.said).toContain('the state default/prod is being deleted');
});

test('what is not there is refused and told, never taken as empty', { timeout: 60_000 }, async () => {
  declare(BACKEND + resources(1));
  const refused = await init('never');
  expect(refused.code).toBe(1);
  expect(refused.said).toContain('423');
});

test('a local state is taken along', { timeout: 60_000 }, async () => {
  await make('moved');
  declare(resources(4));
  expect((await init('moved')).code).toBe(0);
  expect((await apply('moved')).code).toBe(0);
  const { lineage } = JSON.parse(readFileSync(join(folder, 'terraform.tfstate'), 'utf8'));
  declare(BACKEND + resources(4));
  expect(await init('moved', '-migrate-state', '-force-copy')).toMatchObject({ code: 0 });
  const { body } = await api.ask('GET', `${STATES}/moved`);
  expect(body.status).toMatchObject({ lineage, resources: 4 });
  expect((await terraformIn('moved', 'plan', '-input=false', '-no-color', '-detailed-exitcode')).code).toBe(0);
});

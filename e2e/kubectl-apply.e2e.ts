/** Server-side apply with kubectl itself: several managers of one object, conflicts, what goes and what stays. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Control, startControl } from './kubectl/control.ts';
import { kubectlOf } from './kubectl/kubectl.ts';

const present = spawnSync('kubectl', ['version', '--client']).status === 0;
if (!present && process.env.CI) throw new Error('kubectl is missing, and in CI nothing may be skipped');

const zone = (name: string, description?: string, labels?: string) => `
apiVersion: plumb.dev/v1
kind: Zone
metadata: {name: ${name}${labels ? `, labels: {${labels}}` : ''}}
spec: ${description === undefined ? '{}' : `{description: ${description}}`}
`;

const instance = (name: string, more = '') => `
apiVersion: plumb.dev/v1
kind: Instance
metadata: {name: ${name}}
spec:
  zone: home
  offering: small
  image: tiny
  interfaces: [{name: eth0, l3Network: lab}]
${more}`;

describe.skipIf(!present)('kubectl apply --server-side', () => {
  let control: Control;
  beforeAll(async () => {
    control = await startControl();
  });
  afterAll(() => control?.close());

  const { kubectl, expectOk } = kubectlOf(() => control);
  const applied = (input: string, more = '') => expectOk(`apply --server-side${more} -f -`, input);
  const managers = async (what: string) =>
    (await expectOk(`get ${what} -o jsonpath={.metadata.managedFields[*].manager}`)).split(' ').filter(Boolean);

  test('creates, changes nothing the second time, and says who owns what', async () => {
    expect(await applied(zone('home', 'a'))).toBe('zone.plumb.dev/home serverside-applied\n');
    const before = await expectOk('get zone home -o jsonpath={.metadata.resourceVersion}');
    await applied(zone('home', 'a'));
    expect(await expectOk('get zone home -o jsonpath={.metadata.resourceVersion}')).toBe(before);
    const shown = await expectOk('get zone home -o yaml --show-managed-fields');
    expect(shown).toMatch(/f:description: \{\}\n[\s\S]*manager: kubectl\n\s+operation: Apply/);
    expect(await expectOk('get zone home -o yaml')).not.toContain('managedFields');
  });

  test('a conflict is told in full, and ended by force or by giving up the field', async () => {
    await applied(zone('contested', 'a'), ' --field-manager=one');
    const refused = await kubectl('apply --server-side --field-manager=two -f -', zone('contested', 'b'));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toBe(
      `error: Apply failed with 1 conflict: conflict with "one": .spec.description
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the \`--force-conflicts\` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts
`,
    );
    await applied(zone('contested', 'b'), ' --field-manager=two --force-conflicts');
    expect(await managers('zone contested')).toEqual(['two']);
    await applied(zone('contested'), ' --field-manager=two');
    expect(await expectOk('get zone contested -o jsonpath={.spec}')).toBe('{}');
  });

  test('two managers own items and fields of one list', async () => {
    await applied(instance('two', '  sshKeys: [ssh-ed25519 AAAA one]\n'), ' --field-manager=one');
    const more = `
apiVersion: plumb.dev/v1
kind: Instance
metadata: {name: two}
spec:
  sshKeys: [ssh-ed25519 BBBB two]
  interfaces: [{name: eth1, l3Network: lab}]
`;
    await applied(more, ' --field-manager=two');
    const keys = () => expectOk('get vm two -o jsonpath={.spec.sshKeys[*]}{.spec.interfaces[*].name}');
    expect(await keys()).toBe('ssh-ed25519 AAAA one ssh-ed25519 BBBB twoeth0 eth1');
    await applied(more.replace(/ {2}sshKeys.*\n/, ''), ' --field-manager=two');
    expect(await keys()).toBe('ssh-ed25519 AAAA oneeth0 eth1');
  });

  test('diff --server-side and a server dry run change nothing', async () => {
    const diff = await kubectl('diff --server-side -f -', zone('home', 'b'));
    expect(diff).toMatchObject({ code: 1 });
    expect(diff.stdout).toMatch(/-\s+description: a\n\+\s+description: b/);
    await applied(zone('home', 'b'), ' --dry-run=server');
    expect(await expectOk('get zone home -o jsonpath={.spec.description}')).toBe('a');
  });

  test('what kubectl applied on the client becomes a declaration at the first apply on the server', async () => {
    await expectOk('apply -f -', zone('older', 'a', 'kept: x, gone: x'));
    await applied(zone('older', 'a', 'kept: x'));
    expect(await expectOk('get zone older -o jsonpath={.metadata.labels}')).toBe('{"kept":"x"}');
    // kubectl turns its entry of before into a declaration, and keeps the annotation with a manager of its own.
    expect(await managers('zone older')).toEqual(['kubectl-last-applied', 'kubectl']);
  });

  test('an edit takes the field, and the next apply is told so', async () => {
    await applied(zone('edited', 'a'));
    await expectOk('label zone edited tier=web');
    await kubectl('patch zone edited --type=merge -p {"spec":{"description":"b"}}');
    const refused = await kubectl('apply --server-side -f -', zone('edited', 'a'));
    expect(refused.stderr).toContain(
      'Apply failed with 1 conflict: conflict with "kubectl-patch" using plumb.dev/v1: .spec.description',
    );
    expect(await expectOk('get zone edited -o jsonpath={.metadata.labels.tier}')).toBe('web');
  });
});

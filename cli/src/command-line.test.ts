import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiRig, startApiRig } from '@plumb/reconciler/api/testing/rig.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runPlumb } from './testing/run.ts';

let api: ApiRig;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-cli-'));
  api = await startApiRig();
});
afterAll(async () => {
  await api.stop();
  await rm(folder, { recursive: true });
});

const plumb = (args: string[], env: Record<string, string> = {}) => runPlumb(api, args, { env });

describe('the command line', () => {
  test.each([
    [['aply'], 'did you mean apply?'],
    [['toString'], 'there is no command "toString"'],
    [['get', '--frobnicate', 'zones'], "Unknown option '--frobnicate'"],
    [['get'], 'say what'],
    [['get', 'zones', '-o', 'xml'], '-o must be one of'],
    [['get', 'zone/a/b'], 'is not KIND/NAME'],
    [['delete', 'zones'], 'say which'],
    [['apply', '-f', '-', '--timeout', 'soon'], '--timeout must be a duration'],
  ])('%j is refused: %s', async (args, sentence) => {
    const { code, err } = await plumb(args);
    expect(code).toBe(2);
    expect(err).toContain(sentence);
  });

  test('options of every command may stand before it', async () => {
    const { code, err } = await plumb(['--context', 'nosuch', 'get', 'zones']);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('it has no context nosuch') });
    expect((await plumb(['--context=plumb', '-n', 'lab', 'get', 'zones'])).code).toBe(0);
    expect((await plumb(['--context'])).code).toBe(2);
    expect((await plumb(['--context', 'plumb'])).code).toBe(2);
    expect((await plumb(['--kubeconfig', 'none', 'help'])).out).toContain('apply ');
  });

  test('help says how a server is reached where one is asked', async () => {
    expect((await plumb(['get', '--help'])).out).toContain('--context NAME');
    for (const word of ['limits', 'schema']) expect((await plumb([word, '--help'])).out).not.toContain('--context');
  });

  test('a fingerprint without a host is refused, not passed over', async () => {
    const { code, err } = await plumb(['host', 'readmit', '--credential', '12345678']);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('name the host, too') });
  });

  test.each([
    [['apply'], 1],
    [['apply', '--atomic'], 1],
    [['delete'], 1],
    [['plan'], 1],
    [['get'], 1],
    [['wait'], 1],
    [['describe'], 1],
    [['diff'], 2],
  ])('%j of nothing is no success', async (words, code) => {
    const ran = await plumb([...words, '-f', '-']);
    expect(ran).toEqual({ code, out: '', err: 'error: there is no object in standard input\n' });
  });

  test('more objects than can be applied as one are not sent', async () => {
    const input = Array.from({ length: 101 }, (_, i) =>
      JSON.stringify({ apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name: `z${i}` } }),
    ).join('\n');
    const { code, err } = await runPlumb(api, ['apply', '--atomic', '-f', '-'], { input });
    expect({ code, err }).toEqual({
      code: 2,
      err: expect.stringContaining('--atomic takes at most 100 objects, and here are 101'),
    });
  });

  test('-k asks kustomize, or kubectl, and says so where neither is', async () => {
    const kustomize = join(folder, 'kustomize');
    const list = { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name: 'built', namespace: 'lab' } };
    await writeFile(
      kustomize,
      `#!/bin/sh\n[ "$3" = good ] || { echo "no $3 here" >&2; exit 1; }\necho '${JSON.stringify(list)}'\n`,
      { mode: 0o755 },
    );
    const args = ['apply', '--no-wait', '-k'];
    expect(await plumb([...args, 'good'], { PATH: folder })).toEqual({ code: 0, out: 'zone/built created\n', err: '' });
    expect(await plumb([...args, 'bad'], { PATH: folder })).toMatchObject({
      code: 1,
      err: 'error: kustomize refuses bad: no bad here\n',
    });
    const kubectl = join(folder, 'bin', 'kubectl');
    await mkdir(join(folder, 'bin'));
    await rename(kustomize, kubectl);
    expect((await plumb([...args, 'good'], { PATH: join(folder, 'bin') })).out).toBe('zone/built unchanged\n');
    expect(await plumb([...args, 'good'], { PATH: folder })).toMatchObject({
      code: 1,
      err: expect.stringContaining('-k needs kustomize, or kubectl, in PATH'),
    });
  });

  test('its version, and the server’s', async () => {
    expect((await plumb(['--version'], { KUBECONFIG: 'none' })).out).toMatch(/^plumb \d+\.\d+\.\d+\n$/);
    expect((await plumb(['version'])).out).toMatch(/^plumb (\S+)\nserver \1, as Kubernetes v1\.\d+\.\d+\n$/);
  });

  test('-R reads what is in folders below', async () => {
    const deep = join(folder, 'deep', 'below');
    await mkdir(deep, { recursive: true });
    await writeFile(join(deep, 'z.yaml'), 'apiVersion: plumb.dev/v1\nkind: Zone\nmetadata: {name: below}\n');
    const apply = ['apply', '-f', join(folder, 'deep'), '--no-wait'];
    expect((await plumb(apply)).code).toBe(1);
    expect((await plumb([...apply, '-R'])).out).toBe('zone/below created\n');
  });

  test('contexts of the kubeconfig, with the one that is taken', async () => {
    const { out } = await plumb(['contexts']);
    expect(out).toMatch(/^ +NAME +CLUSTER +USER +NAMESPACE\n\* +plumb +plumb +admin +default\n$/);
  });

  test('init writes manifests that can be applied, and nothing over what is there', async () => {
    const made = join(folder, 'made');
    await mkdir(made);
    await writeFile(join(made, 'hosts.yaml'), '# mine\n');
    const { code, out } = await plumb(['init', made]);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('hosts.yaml is there already, and stays') });
    expect(await readFile(join(made, 'hosts.yaml'), 'utf8')).toBe('# mine\n');
    await rm(join(made, 'hosts.yaml'));
    await plumb(['init', made]);
    const applied = await plumb(['apply', '-f', made, '--no-wait']);
    expect(applied).toMatchObject({ code: 0, err: '' });
    expect(applied.out.match(/ created\n/g)).toHaveLength(7);
    const { properties } = JSON.parse(await readFile(join(made, '.schemas', 'plumb.json'), 'utf8'));
    expect(properties.kind.enum).toContain('Instance');
  });

  test('an unknown kind names the nearest', async () => {
    expect((await plumb(['get', 'instnaces'])).err).toContain('did you mean instances?');
  });

  test('help, for all and for one', async () => {
    expect((await plumb([])).out).toContain('apply ');
    expect((await plumb(['help', 'apply'])).out).toContain('--no-wait');
    expect((await plumb(['apply', '--help'])).out).toContain('--no-wait');
    expect(JSON.parse((await plumb(['schema'])).out).definitions).toHaveProperty('Zone');
    expect(JSON.parse((await plumb(['schema', 'vm'])).out)).toMatchObject({
      title: 'Instance',
      required: ['apiVersion', 'kind', 'metadata', 'spec'],
    });
    expect((await plumb(['schema', 'events'])).code).toBe(2);
  });

  test('a kubeconfig that is missing, broken, or leads nowhere', async () => {
    const missing = await plumb(['get', 'zones'], { KUBECONFIG: join(folder, 'none') });
    expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('there is no kubeconfig at') });
    const file = join(folder, 'config');
    await writeFile(file, 'clusters: []');
    expect((await plumb(['get', 'zones', '--kubeconfig', file])).err).toContain('names no current-context');
    const beside = nowhere().replace('{server:', '{certificate-authority: gone.pem, server:');
    await writeFile(file, beside);
    const { err } = await plumb(['get', 'zones', '--kubeconfig', file]);
    expect(err).toContain('it names the file gone.pem, which cannot be read');
    expect(err).toContain('Take the one that the server wrote into its data folder');
    await writeFile(file, nowhere());
    expect((await plumb(['get', 'zones', '--kubeconfig', file])).err).toContain(
      'nothing listens at https://127.0.0.1:1',
    );
    await writeFile(file, nowhere().replace('https://127.0.0.1:1', api.url));
    expect((await plumb(['get', 'zones', '--kubeconfig', file])).err).toContain('does not vouch for');
  });

  test('another context, and another server of the same cloud where the first is not there', async () => {
    const file = join(folder, 'several');
    const extension = `extensions: [{name: plumb.dev/servers, extension: {servers: ["${api.url}"]}}]`;
    const authority = Buffer.from(api.pki.authority).toString('base64');
    const cluster = `{certificate-authority-data: ${authority}, ${extension}, server: "https://127.0.0.1:1"}`;
    const config = withUser(nowhere(), `{token: ${api.token}}`)
      .replace('contexts: [', 'contexts: [{name: there, context: {cluster: b, user: u}}, ')
      .replace('clusters: [', `clusters: [{name: b, cluster: ${cluster}}, `);
    await writeFile(file, config);
    const args = ['get', 'namespaces', '-o', 'name', '--kubeconfig', file];
    expect((await plumb(args)).err).toContain('nothing listens');
    expect(await plumb([...args, '--context', 'there'])).toEqual({ code: 0, out: 'namespace/default\n', err: '' });
    expect((await plumb([...args, '--context', 'none'])).err).toContain('it has no context none');
  });

  test('a token does not go over plain HTTP unless that is asked for', async () => {
    const file = join(folder, 'plain');
    await writeFile(file, withUser(nowhere().replace('https:', 'http:'), '{token: t}'));
    const args = ['get', 'zones', '--kubeconfig', file];
    expect(await plumb(args)).toMatchObject({ code: 1, err: expect.stringContaining('is plain HTTP') });
    expect((await plumb(args, { PLUMB_INSECURE_HTTP: 'true' })).err).toContain('nothing listens');
    await writeFile(file, nowhere().replace('https:', 'http:'));
    expect((await plumb(args)).err).toContain('nothing listens');
  });

  test('a program that the kubeconfig names gives the token, anew when it is refused; not as a file of others says', async () => {
    const [file, plugin, asked] = ['exec', 'plugin', 'asked'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const script = `#!/bin/sh\necho x >> ${asked}\n[ $(wc -l < ${asked}) = 1 ] && TOKEN=old\n`;
    await writeFile(plugin, `${script}echo '{"status":{"token":"'$TOKEN'"}}'\n`, { mode: 0o755 });
    const user = '{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin}}';
    const authority = Buffer.from(api.pki.authority).toString('base64');
    const cluster = `certificate-authority-data: ${authority}, server: "${api.url}"`;
    await writeFile(file, withUser(nowhere().replace('server: "https://127.0.0.1:1"', cluster), user));
    const args = ['get', 'namespaces', '-o', 'name', '--kubeconfig', file];
    const env = { TOKEN: api.token, PATH: process.env.PATH! };
    expect(await plumb(args, env)).toEqual({ code: 0, out: 'namespace/default\n', err: '' });
    expect(await readFile(asked, 'utf8')).toBe('x\nx\n');
    await chmod(file, 0o666);
    expect((await plumb(args, env)).err).toContain('it names a program to run, and');
    expect(await readFile(asked, 'utf8')).toBe('x\nx\n');
  });
});

function withUser(config: string, user: string): string {
  return `${config.replace('{cluster: a}', '{cluster: a, user: u}')}users: [{name: u, user: ${user}}]\n`;
}

/** A kubeconfig that leads to a port on which nobody listens. */
function nowhere(): string {
  return `current-context: a
contexts: [{name: a, context: {cluster: a}}]
clusters: [{name: a, cluster: {server: "https://127.0.0.1:1"}}]
`;
}

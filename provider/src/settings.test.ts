import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PlumbError } from '@plumb/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectionFrom, type ProviderAttributes } from './settings.ts';

let cwd: string;
const PEM = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';

const kubeconfig = (server: string, user: string, cluster = '') => `apiVersion: v1
kind: Config
current-context: plumb
contexts: [{name: plumb, context: {cluster: c, user: u}}]
clusters:
- name: c
  cluster: {server: "${server}"${cluster}}
users:
- name: u
  user: {${user}}
`;

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'plumb-settings-'));
  const file = (name: string, text: string) => writeFileSync(join(cwd, name), text);
  const authority = Buffer.from(PEM).toString('base64');
  file('ca.pem', PEM);
  file('config', kubeconfig('https://a:1/', 'token: kube-token', `, certificate-authority-data: ${authority}`));
  file('files', kubeconfig('https://a:2', 'tokenFile: token.txt', ', certificate-authority: ca.pem'));
  file('token.txt', 'from-file\n');
  file('exec', kubeconfig('https://a:3', `exec: {apiVersion: client.authentication.k8s.io/v1, command: ./x}`));
  file('provider', kubeconfig('https://a:3', 'auth-provider: {name: x}'));
  file('plain', kubeconfig('http://a:5', 'token: t', ', proxy-url: "http://proxy:1"'));
  file('theirs', kubeconfig('https://a:3', `exec: {apiVersion: client.authentication.k8s.io/v1, command: ./x}`));
  chmodSync(join(cwd, 'theirs'), 0o666);
  file('context', 'current-context: other\n');
  file('broken', 'users: [{token: "secret-in-here}]\n');
  file(
    'certificate',
    kubeconfig('https://a:4', `client-certificate: ca.pem, client-key: ca.pem`, ', insecure-skip-tls-verify: true'),
  );
});

afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const from = (attributes: ProviderAttributes, env: Record<string, string> = {}) =>
  connectionFrom(attributes, { env, cwd });
const why = (attributes: ProviderAttributes, env: Record<string, string> = {}) => {
  try {
    from(attributes, env);
  } catch (error) {
    return error instanceof PlumbError ? `${error.reason}: ${error.message}` : error;
  }
  return undefined;
};

describe('where the server is', () => {
  test('attributes', () => {
    expect(from({ endpoint: 'https://b:1/', token: 't', caCertificate: 'ca.pem' })).toEqual({
      endpoints: ['https://b:1'],
      token: 't',
      ca: PEM,
    });
  });

  test('several servers, with a word for the one that is none', () => {
    const endpoints = ['https://b:1', 'https://c:1'];
    expect(from({ endpoint: 'https://b:1/, https://c:1' })).toEqual({ endpoints });
    expect(from({}, { PLUMB_ENDPOINT: 'https://b:1,https://c:1' })).toEqual({ endpoints });
    expect(why({ endpoint: 'https://b:1,c' })).toContain('must be a URL as in https://plumb.example:7443, but is c');
    expect(why({ endpoint: 'https://b:1,http://c', token: 't' })).toContain('http://c is plain HTTP');
  });

  test('another context of the kubeconfig', () => {
    writeFileSync(
      join(cwd, 'two'),
      `${kubeconfig('https://a:1', 'token: t').replace('contexts: [', 'contexts: [{name: other, context: {cluster: d, user: u}}, ')}`.replace(
        'users:',
        '- name: d\n  cluster: {server: "https://d:1"}\nusers:',
      ),
    );
    expect(from({ kubeconfig: 'two' })).toEqual({ endpoints: ['https://a:1'], token: 't' });
    expect(from({ kubeconfig: 'two', context: 'other' })).toEqual({ endpoints: ['https://d:1'], token: 't' });
    expect(why({ kubeconfig: 'two', context: 'none' })).toContain('it has no context none');
  });

  test('a kubeconfig, by attribute or variable, with paths relative to where terraform runs', () => {
    const expected = { endpoints: ['https://a:1'], token: 'kube-token', ca: PEM };
    expect(from({ kubeconfig: 'config' })).toEqual(expected);
    expect(from({}, { KUBECONFIG: join(cwd, 'config') })).toEqual(expected);
    expect(from({ kubeconfig: '~/config' }, { HOME: cwd })).toEqual(expected);
  });

  test('files that a kubeconfig names', () => {
    expect(from({ kubeconfig: 'files' })).toEqual({ endpoints: ['https://a:2'], token: 'from-file', ca: PEM });
    expect(from({ kubeconfig: 'certificate' })).toEqual({
      endpoints: ['https://a:4'],
      certificate: { cert: PEM, key: PEM },
      insecure: true,
    });
  });

  test('several kubeconfigs: the first that says a thing wins, and missing ones are skipped', () => {
    expect(from({}, { KUBECONFIG: `nowhere:${join(cwd, 'config')}:${join(cwd, 'files')}` }).endpoints).toEqual([
      'https://a:1',
    ]);
  });

  test('attributes win over variables, and these over a kubeconfig in a variable', () => {
    const env = { PLUMB_ENDPOINT: 'https://e:1', PLUMB_TOKEN: 'env', KUBECONFIG: 'config' };
    expect(from({}, env)).toEqual({ endpoints: ['https://e:1'], token: 'env' });
    expect(from({ endpoint: 'https://b:1' }, env)).toEqual({ endpoints: ['https://b:1'], token: 'env' });
    expect(from({ kubeconfig: 'config' }, env)).toMatchObject({ endpoints: ['https://a:1'], token: 'env' });
    expect(from({ token: 'mine' }, env).token).toBe('mine');
  });

  test('the token of a kubeconfig goes to no other server', () => {
    expect(from({ endpoint: 'https://b:1' }, { KUBECONFIG: 'config' })).toEqual({ endpoints: ['https://b:1'] });
  });
});

test('a program gives the credential, relative to its kubeconfig', () => {
  expect(from({ kubeconfig: 'exec' })).toMatchObject({ endpoints: ['https://a:3'], exec: { command: join(cwd, 'x') } });
});

test('plain HTTP is taken without a token, or when that is asked for', () => {
  expect(from({ endpoint: 'http://b' })).toEqual({ endpoints: ['http://b'] });
  for (const [attributes, env] of [
    [{ insecureHttp: true }, {}],
    [{}, { PLUMB_INSECURE_HTTP: 'true' }],
  ] as const) {
    expect(from({ endpoint: 'http://b', token: 't', ...attributes }, env).token).toBe('t');
    expect(from({ kubeconfig: 'plain', ...attributes }, env)).toMatchObject({ token: 't', proxy: 'http://proxy:1' });
  }
  expect(why({ endpoint: 'http://b', token: 't', insecureHttp: false }, { PLUMB_INSECURE_HTTP: 'true' })).toContain(
    'plain HTTP',
  );
});

describe('what is wrong is said', () => {
  test.each<[string, ProviderAttributes, Record<string, string>, string]>([
    ['nothing', {}, {}, 'NotConfigured: No Plumb server is known. Set kubeconfig or endpoint'],
    [
      'no URL',
      { endpoint: 'b:1' },
      {},
      'NotConfigured: endpoint must be a URL as in https://plumb.example:7443, but is b:1',
    ],
    ['no such file', { kubeconfig: 'nowhere' }, {}, 'there is no such file. Take the one that the server wrote'],
    ['no such context', { kubeconfig: 'context' }, {}, 'it has no context other'],
    ['a program of one who could be anybody', { kubeconfig: 'theirs' }, {}, 'can be written by other users'],
    ['what Kubernetes has given up', { kubeconfig: 'provider' }, {}, 'has an auth-provider'],
    ['a token over plain HTTP', { endpoint: 'http://b', token: 't' }, {}, 'is plain HTTP'],
    ['the token of a kubeconfig over plain HTTP', { kubeconfig: 'plain' }, {}, 'is plain HTTP'],
    ['a password in a URL', { endpoint: 'https://u:p4ss@b' }, {}, 'holds a name or password: give a token'],
    [
      'a bad authority',
      { endpoint: 'https://b', caCertificate: 'nowhere.pem' },
      {},
      'neither a PEM certificate nor a file',
    ],
    ['not YAML', { kubeconfig: 'broken' }, {}, 'it is not YAML'],
  ])('%s', (_, attributes, env, expected) => expect(why(attributes, env)).toContain(expected));

  test('and never quotes a credential', () => {
    expect(why({ kubeconfig: 'broken' })).not.toContain('secret-in-here');
    expect(why({ endpoint: 'https://u:p4ss@b' })).not.toContain('p4ss');
    expect(why({ endpoint: 'ftp://u:p4ss@b' })).not.toContain('p4ss');
  });
});

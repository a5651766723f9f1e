import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiRig, startApiRig } from '../api/testing/rig.ts';
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

  test('an unknown kind names the nearest', async () => {
    expect((await plumb(['get', 'instnaces'])).err).toContain('did you mean instances?');
  });

  test('help, for all and for one', async () => {
    expect((await plumb([])).out).toContain('apply ');
    expect((await plumb(['help', 'apply'])).out).toContain('--no-wait');
    expect((await plumb(['apply', '--help'])).out).toContain('--no-wait');
    expect(JSON.parse((await plumb(['schema'])).out).definitions).toHaveProperty('Zone');
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
});

/** A kubeconfig that leads to a port on which nobody listens. */
function nowhere(): string {
  return `current-context: a
contexts: [{name: a, context: {cluster: a}}]
clusters: [{name: a, cluster: {server: "https://127.0.0.1:1"}}]
`;
}

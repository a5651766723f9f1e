import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiRig, manifests, startApiRig, V1 } from '@plumb/reconciler/api/testing/rig.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commands } from './commands.ts';
import { candidates, type Values } from './complete.ts';
import { run, runPlumb } from './testing/run.ts';

const values: Values = {
  contexts: async () => ['lab', 'home'],
  kinds: async () => ['zones', 'hosts', 'instances'],
  names: async (kind, before) => (before.includes('shop') ? [`${kind}-of-shop`] : [`${kind}-1`, `${kind}-2`]),
};
const offers = (line: string) => candidates(line.split(' '), values);

describe('what may stand next', () => {
  test.each([
    ['ap', ['apply']],
    ['--context lab ge', ['get']],
    ['--context ', ['home', 'lab']],
    ['get -n ', ['namespaces-1', 'namespaces-2']],
    ['get z', ['zones']],
    ['get zones ', ['zones-1', 'zones-2']],
    ['describe -n shop zones ', ['zones-of-shop']],
    ['delete zone/', ['zone/zone-1', 'zone/zone-2']],
    ['get zones -o y', ['yaml']],
    ['delete zones a --ca', ['--cascade']],
    ['flows ', ['abandon', 'retry']],
    ['completion ', ['bash', 'fish', 'zsh']],
    ['join-token ', ['create', 'list', 'revoke']],
    ['help ini', ['init']],
    ['nosuch ', undefined],
    ['apply -f ', undefined],
  ])('%j', async (line, wanted) => {
    const found = await offers(line);
    expect(found).toEqual(wanted);
  });

  test('every option that a command says it has', async () => {
    for (const [name, { load }] of Object.entries(commands)) {
      const { usage } = await load();
      const found = (await offers(`${name} --`)) ?? [];
      for (const [option] of usage.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)) expect(found).toContain(option);
    }
  });
});

describe('in a shell', () => {
  let api: ApiRig;
  let folder: string;
  beforeAll(async () => {
    api = await startApiRig();
    for (const name of ['home', 'house', '$(touch oops)'])
      await api.ask('POST', `${V1}/zones`, { body: manifests.zone(name) });
    folder = mkdtempSync(join(tmpdir(), 'plumb-completion-'));
    writeFileSync(join(folder, 'here.yaml'), '');
  });
  afterAll(async () => {
    await api.stop();
    rmSync(folder, { recursive: true });
  });

  test.each([
    ['plumb get zo', ['zones']],
    ['plumb get zones h', ['home', 'house']],
    ['plumb get zone/ho', ['zone/home', 'zone/house']],
    ['plumb  --context plumb   get zones ', ['home', 'house']],
    ['plumb apply --pr', ['--prune']],
  ])('bash completes %j', async (line, wanted) => {
    const { out } = await run(['completion', 'bash']);
    // What plumb answers is asked of it here, and given to the shell's function as plumb's own output.
    const words = line.trimStart().split(/\s+/).slice(1);
    const answered = await runPlumb(api, ['__complete', '--', ...words]);
    const answer = join(folder, 'answer');
    writeFileSync(answer, answered.out);
    const script = `${out}\nplumb() { printf '%s|' "$@" > ${folder}/asked; cat ${answer}; }\nCOMP_LINE='${line}' COMP_POINT=${line.length} _plumb\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
    const shown = execFileSync('bash', ['--norc', '-c', script], { cwd: folder, encoding: 'utf8' });
    expect(shown.split('\n').filter(Boolean)).toEqual(wanted);
    expect(execFileSync('cat', [join(folder, 'asked')], { encoding: 'utf8' })).toBe(
      ['__complete', '--', ...words, ''].join('|'),
    );
  });

  test('nothing is said where no server answers, and a file is one to be found by the shell', async () => {
    const nowhere = { env: { KUBECONFIG: join(folder, 'none') } };
    expect(await run(['__complete', '--', 'get', 'zones', ''], nowhere)).toEqual({ code: 0, out: '', err: '' });
    expect(await run(['__complete', '--', 'apply', '-f', ''], nowhere)).toEqual({ code: 3, out: '', err: '' });
  });

  test('each shell has a script, and another has none', async () => {
    for (const shell of ['bash', 'zsh', 'fish'])
      expect((await run(['completion', shell])).out).toContain('plumb __complete --');
    expect(await run(['completion', 'tcsh'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('bash, zsh, fish'),
    });
  });
});

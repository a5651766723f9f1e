/** Repositories of strangers: each is refused with a sentence that says why, and nothing of it gets out. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { render } from './render.ts';
import { makeRepository, type TestRepository } from './testing/repository.ts';

const zone = 'apiVersion: plumb.dev/v1\nkind: Zone\nmetadata: {name: a}\n';
const never = new AbortController().signal;

let repository: TestRepository;
let scratch: string;
beforeEach(() => {
  repository = makeRepository({ 'estate/a.yaml': zone });
  scratch = mkdtempSync(join(tmpdir(), 'plumb-hostile-'));
});
afterEach(() => {
  repository[Symbol.dispose]();
  rmSync(scratch, { recursive: true, force: true });
});

async function look(wanted: object = {}, limits: object = {}) {
  return render(
    {
      wanted: { url: repository.url, ref: 'main', path: 'estate', ...wanted },
      rules: { folders: [repository.folder] },
      limits: { ...defaultServerLimits, ...limits },
      ...{ scratch, kustomize: true },
    },
    never,
  );
}

/** Bytes of a tree object of git. */
const entry = (mode: string, name: string, id: string) =>
  Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]);

function commitTree(tree: Buffer): void {
  const file = join(repository.folder, 'tree');
  writeFileSync(file, tree);
  const id = repository.git('hash-object', '-t', 'tree', '--literally', '-w', file).trim();
  const commit = repository.git('commit-tree', id, '-m', 'x').trim();
  repository.git('update-ref', 'refs/heads/main', commit);
}

const bomb = (levels: number) =>
  Array.from(
    { length: levels },
    (_, n) =>
      `a${n}: &a${n} [${
        n === 0
          ? '1'
          : Array(9)
              .fill(`*a${n - 1}`)
              .join(',')
      }]`,
  ).join('\n');

const contents: Record<string, [prepare: (r: TestRepository) => void, says: RegExp, limits?: object]> = {
  'a link that leads out by steps': [
    (r) => r.link('estate/b.yaml', '../../../etc/passwd'),
    /b\.yaml is a link that leads out/,
  ],
  'a link to a file of the machine': [
    (r) => r.link('estate/b.yaml', '/etc/passwd'),
    /b\.yaml is a link that leads out/,
  ],
  'a link out of the folder that was asked for': [
    (r) => {
      r.write('other.yaml', zone);
      r.link('estate/b.yaml', '../other.yaml');
    },
    /leads out/,
  ],
  'a link to itself': [(r) => r.link('estate/b.yaml', 'b.yaml'), /is a link that leads to no file/],
  'a link to a folder': [
    (r) => {
      r.write('estate/f/x.yaml', zone);
      r.link('estate/b.yaml', 'f');
    },
    /is a link to f, which is no file/,
  ],
  'a submodule': [
    (r) => {
      r.git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},estate/sub`);
      r.git('commit', '-qm', 'x');
    },
    /estate\/sub|sub is a submodule/,
  ],
  'a manifest that is too large': [
    (r) => r.write('estate/b.yaml', `# ${'x'.repeat(5000)}`),
    /b\.yaml has 500\d bytes/,
    { gitFileBytes: 4096 },
  ],
  'manifests that are too large together': [
    (r) => {
      for (let n = 0; n < 9; n++) r.write(`estate/b${n}.yaml`, `# ${'x'.repeat(1000)}`);
    },
    /manifests have more than 8000 bytes/,
    { gitManifestBytes: 8000 },
  ],
  'many files': [
    (r) => {
      for (let n = 0; n < 30; n++) r.write(`estate/f${n}`, '');
    },
    /more than 20 files/,
    { gitFiles: 20 },
  ],
  'deep folders': [(r) => r.write(`estate/${'d/'.repeat(40)}a.yaml`, zone), /more than 32 folders within each other/],
  'anchors that grow': [(r) => r.write('estate/b.yaml', bomb(12)), /Excessive alias count|cannot be read/],
  'lists within lists': [
    (r) => r.write('estate/b.yaml', `${'['.repeat(20_000)}`),
    /deeper than can be read|cannot be read|b\.yaml/,
  ],
  'a tag of a language': [(r) => r.write('estate/b.yaml', '!!python/object/apply:os.system ["id"]'), /tag|b\.yaml/],
  'bytes that are no text': [
    (r) => r.write('estate/b.yaml', Buffer.from([0x61, 0xff, 0xfe])),
    /b\.yaml.* is not UTF-8 text/,
  ],
  'no object': [(r) => r.write('estate/b.yaml', '- 1\n'), /b\.yaml:1 is no object/],
  'no name': [(r) => r.write('estate/b.yaml', 'apiVersion: v1\nkind: Secret\nmetadata: {}\n'), /has no metadata\.name/],
  'one broken document of several': [(r) => r.write('estate/b.yaml', `${zone}---\na: [\n`), /b\.yaml:/],
  'an object twice': [(r) => r.write('estate/b.yaml', zone), /declares Zone a, which .*a\.yaml:1 declares, too/],
  'more objects than are allowed': [
    (r) => r.write('estate/b.yaml', [1, 2, 3].map((n) => zone.replace('a}', `b${n}}`)).join('---\n')),
    /more than 2 objects/,
    { gitObjects: 2 },
  ],
  'a name with a line end': [(r) => r.write('estate/b\n.yaml', zone), /name cannot be used/],
  'a kustomization below the folder': [
    (r) => r.write('estate/deep/kustomization.yaml', 'resources: []'),
    /kustomization below the folder/,
  ],
  'no such folder': [
    (r) => {
      r.remove('estate');
      r.write('x', '');
    },
    /no folder estate in it/,
  ],
  'a file in the place of the folder': [
    (r) => {
      r.remove('estate');
      r.write('estate', zone);
    },
    /no folder estate in it/,
  ],
};

test.each(Object.entries(contents))('%s', async (_, [prepare, says, limits]) => {
  prepare(repository);
  if (!repository.git('log', '-1', '--format=%s').startsWith('x')) repository.commit();
  await expect(look({}, limits)).rejects.toMatchObject({ reason: 'CommitRefused', retry: 'terminal' });
  rmSync(scratch, { recursive: true, force: true });
  scratch = mkdtempSync(join(tmpdir(), 'plumb-hostile-'));
  await expect(look({}, limits)).rejects.toThrow(says);
});

const kustomizations: Record<string, [text: string, says: RegExp]> = {
  'a remote base': ['resources: ["https://github.com/x/y//base?ref=main"]', /not in the repository|elsewhere/],
  'a remote base without a scheme': ['resources: ["github.com/x/y//base?ref=main"]', /not in the repository/],
  'a remote base by ssh': ['bases: ["git@github.com:x/y"]', /not in the repository/],
  'a remote component': ['components: ["git::https://x/y"]', /not in the repository|elsewhere/],
  'a base by a file URL': ['resources: ["file:///etc"]', /not in the repository/],
  'a resource out of the repository': ['resources: ["../../etc/passwd"]', /not in the repository/],
  'a resource of the machine': ['resources: ["/etc/passwd"]', /not in the repository/],
  'a patch from elsewhere': ['resources: [a.yaml]\npatches: [{path: "https://x/y"}]', /names https:\/\/x\/y/],
  'a file from elsewhere': ['configMapGenerator: [{name: a, files: ["k=http://127.0.0.1/x"]}]', /names k=http/],
  'a schema from elsewhere': ['openapi: {path: "http://169.254.169.254/"}', /names http:\/\/169/],
  'a program as generator': ['generators: [g.yaml]', /generators is not used here/],
  'a program as transformer': ['transformers: ["apiVersion: v1\\nkind: X"]', /transformers is not used here/],
  'a program as validator': ['validators: [v.yaml]', /validators is not used here/],
  'a chart': ['helmCharts: [{name: x, repo: "https://x"}]', /helmCharts is not used here/],
  'a chart of before': ['helmChartInflationGenerator: [{chartName: x}]', /is not used here/],
};

test.each(Object.entries(kustomizations))('kustomize: %s', async (_, [text, says]) => {
  repository.write('estate/kustomization.yaml', text);
  repository.commit();
  await expect(look()).rejects.toThrow(says);
  expect(existsSync(join(scratch, 'tree'))).toBe(false);
});

describe('of the declaration', () => {
  const urls = [
    ...['ext::sh -c id', 'ssh://-oProxyCommand=id/x', 'git://example.org/x', 'http://example.org/x', 'fd::17'],
    ...['--upload-pack=id', '-u', 'https://', 'example.org:x', '/etc'],
  ];
  test.each(urls)('the url %s is not spoken to', async (url) => {
    await expect(look({ url })).rejects.toMatchObject({ retry: 'terminal' });
  });

  const files = ['file:///etc', 'file://host/x', 'file:///', 'file:///proc/self/root', 'file:///%00'];
  test.each(files)('%s is not below the folder', async (url) => {
    await expect(look({ url })).rejects.toMatchObject({ reason: 'GitSourceRefused' });
  });

  test('a link below the folder leads nowhere else, and says not whether it is there', async () => {
    repository.link('../away', '/etc');
    const away = look({ url: `file://${repository.folder}/away` });
    const nothing = look({ url: `file://${repository.folder}/nothing` });
    const [first, second] = await Promise.allSettled([away, nothing]);
    const said = [first, second].map((one) => (one as PromiseRejectedResult).reason.message.replace(/file:\S+/, ''));
    expect(said[0]).toBe(said[1]);
  });

  const inward = [
    'https://127.0.0.1/x',
    'https://localhost/x',
    'https://[::1]/x',
    'https://169.254.169.254/x',
    'https://[::ffff:127.0.0.1]/x',
    'https://0x7f.1/x',
    'https://10.1.2.3:22/x',
  ];
  test.each(inward)('%s is refused', async (url) => {
    await expect(look({ url })).rejects.toMatchObject({ reason: 'GitSourceRefused' });
  });

  test.each(['--upload-pack=id', '-x', 'nothing', 'main:other', 'refs/heads/*', '*'])(
    'the ref %s is none',
    async (ref) => {
      await expect(look({ ref })).rejects.toThrow(/no branch or tag|cannot be read/);
      expect(existsSync('/tmp/plumb-was-here')).toBe(false);
    },
  );
});

describe('of git itself', () => {
  test('hooks, attributes, filters and configuration of a repository run nothing', async () => {
    const mark = join(repository.folder, 'ran');
    repository.write('.gitattributes', '* filter=x');
    repository.commit();
    for (const hook of ['post-checkout', 'post-merge', 'reference-transaction', 'pre-receive', 'upload-pack'])
      repository.write(`.git/hooks/${hook}`, `#!/bin/sh\ntouch ${mark}\n`);
    repository.git('config', 'uploadpack.packObjectsHook', `touch ${mark}; false`);
    repository.git('config', 'core.fsmonitor', `touch ${mark}`);
    repository.git('config', 'filter.x.smudge', `touch ${mark}`);
    expect((await look()).objects).toHaveLength(1);
    expect(existsSync(mark)).toBe(false);
  });

  test('a tree whose names lead out is not taken', async () => {
    const blob = repository.git('rev-parse', 'main:estate/a.yaml').trim();
    const inner = join(repository.folder, 'inner');
    writeFileSync(inner, entry('100644', '..', blob));
    const tree = repository.git('hash-object', '-t', 'tree', '--literally', '-w', inner).trim();
    commitTree(entry('40000', 'estate', tree));
    await expect(look()).rejects.toThrow(/cannot be read|cannot be used/);
  });

  test('a tree that has itself many times over ends at the bound', async () => {
    let tree = repository.git('rev-parse', 'main:estate').trim();
    for (let level = 0; level < 8; level++) {
      const file = join(repository.folder, 'level');
      writeFileSync(file, Buffer.concat(Array.from({ length: 10 }, (_, n) => entry('40000', `d${n}`, tree))));
      tree = repository.git('hash-object', '-t', 'tree', '-w', file).trim();
    }
    commitTree(entry('40000', 'estate', tree));
    await expect(look()).rejects.toThrow(/more than 10000 files/);
  });

  test('a redirect is not followed, wherever it leads', async () => {
    let asked = 0;
    const inside = createServer((_, response) => {
      asked++;
      response.end();
    });
    await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
    const { port } = inside.address() as { port: number };
    await expect(look({ url: `https://127.0.0.1:${port}/x` })).rejects.toMatchObject({ reason: 'GitSourceRefused' });
    expect(asked).toBe(0);
    inside.close();
  });
});

test('links within the commit are followed', async () => {
  repository.write('estate/real/x.yaml', zone.replace('a}', 'b}'));
  repository.link('estate/b.yaml', 'real/../real/x.yaml');
  repository.remove('estate/a.yaml');
  repository.commit();
  await expect(look()).rejects.toThrow(/declares Zone b/);
});

import { formatKubeconfig } from '@plumb/reconciler/pki/kubeconfig.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { plainYaml } from './plain-yaml.ts';

const BY_KUBECTL = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: LS0tLS1CRUdJTg==
    insecure-skip-tls-verify: true
    server: https://127.0.0.1:6443
  name: "a b"
contexts:
- context:
    cluster: 'x'
    user: admin@x
  name: x
current-context: x
kind: Config
preferences: {}
users:
- name: admin@x
  user:
    exec:
      args:
      - token
      - --get
      env: []
`.replace('      - --get\n', '');

describe('what is read is what YAML says', () => {
  test('kubeconfigs as Plumb and kubectl write them', () => {
    const facts = { server: 'https://127.0.0.1:1', authority: 'x'.repeat(2_000), token: '0Mze26JeVYcJ' };
    for (const text of [formatKubeconfig(facts), BY_KUBECTL]) {
      expect(plainYaml(text)).toBeDefined();
      expect(plainYaml(text)).toEqual(parse(text));
    }
  });

  const word = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'abzAZ019+/=_.:@-"\'{}[]#&*!|>%~?, '), maxLength: 8 }),
    fc.constantFrom(
      'true',
      'False',
      'null',
      '~',
      '1e5',
      '0x1',
      '017',
      '1_000',
      '.inf',
      'yes',
      'n',
      '12:30',
      '2026-01-01',
    ),
  );
  const value: fc.Memo<unknown> = fc.memo((depth) =>
    depth <= 1
      ? word
      : fc.oneof(
          word,
          fc.array(value(depth - 1), { maxLength: 3 }),
          fc.dictionary(fc.oneof(word, fc.constantFrom('name', 'a-b')), value(depth - 1), { maxKeys: 3 }),
        ),
  );

  test('whatever a writer of YAML makes of values', () => {
    fc.assert(
      fc.property(value(4), fc.boolean(), (written, indentSeq) => {
        const text = stringify(written, { indentSeq });
        const read = plainYaml(text);
        if (read !== undefined) expect(read).toEqual(parse(text));
      }),
      { numRuns: 2_000 },
    );
  });

  test('lines of any kind', () => {
    const line = fc.tuple(
      fc.constantFrom('', '  ', '    ', '- ', '  - ', '- - '),
      fc.constantFrom(
        'a:',
        'b: x',
        'c: {}',
        'a: x: y',
        'x',
        "d: 'q'",
        'e: "w"',
        '# c',
        '-',
        '',
        'f: |',
        'g: 1',
        'y: y',
        '<<: x',
        'h: &a b',
      ),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 7 }), (lines) => {
        const text = lines.map((parts) => `${parts.join('')}\n`).join('');
        const read = plainYaml(text);
        if (read !== undefined) expect(read).toEqual(parse(text, { version: '1.1' }));
      }),
      { numRuns: 5_000 },
    );
  });
});

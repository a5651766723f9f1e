import { expect, test } from 'vitest';
import { resourceTypes } from '../resources/host-resources.ts';
import { secretsOf } from '../wire/resource-codec.ts';
import { holdsSecrets } from './conceal.ts';
import { scrub } from './scrub.ts';
import type { SchemaNode } from './validate-schema.ts';

const USER_DATA =
  '#cloud-config\npasswd: hunter2hunter2\nchpasswd: {list: "root:tr0ub4dor&3"}\nplain: correcthorsebatterystaple\n';
const URL = 'https://me:s3cr%40t@example.org/image.img?signature=abcdef#frag';
const given = [
  { kind: 'seed', spec: { instanceId: 'i', hostname: 'web-0', sshKeys: [], userData: USER_DATA } },
  { kind: 'image', spec: { url: URL, sha256: 'a', format: 'raw', maxBytes: 1 } },
];
const secrets = given.flatMap(secretsOf);
const leaks = ['hunter2hunter2', 'tr0ub4dor', 'correcthorse', 's3cr%40t', 's3cr@t', 'abcdef'];

test.each([
  USER_DATA,
  JSON.stringify({ said: USER_DATA }),
  `genisoimage: cannot write "passwd: hunter2hunter2": No space left`,
  `yaml: line 3: chpasswd: {list: "root:tr0ub4dor&3"} is no map`,
  'the value correcthorsebatterystaple is not known',
  `Failed to fetch ${URL}: refused`,
  'unauthorized: me with s3cr@t',
  'GET /image.img?signature=abcdef 403',
  `two: hunter2hunter2 and s3cr%40t`,
])('nothing of a secret stays in %j', (text) => {
  const shown = scrub(text, secrets);
  for (const leak of leaks) expect(shown).not.toContain(leak);
  expect(shown).toContain('(not shown)');
});

test('what is no secret is said as it is', () => {
  const text = 'the image at https://example.org/image.img cannot be fetched by web-0: its server answers 503';
  expect(scrub(text, secrets)).toBe(text);
});

test('it costs little, whatever is said and whatever is secret', () => {
  const long = Array.from({ length: 65_536 }, (_, n) => String.fromCharCode(97 + ((n * n) % 26))).join('');
  const begun = performance.now();
  scrub('b'.repeat(1024), [long, 'a'.repeat(65_536)]);
  expect(performance.now() - begun).toBeLessThan(2_000);
});

test('the types of resources that hold secrets say so', () => {
  const secretive = resourceTypes.types.filter((type) =>
    holdsSecrets(resourceTypes.definition(type).spec as unknown as SchemaNode),
  );
  expect(secretive.sort()).toEqual(['image', 'seed']);
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { madePages, referenceFolder, referencePages } from './build-docs.ts';
import { missingExamples, strayExamples, terraformFolder, terraformPages } from './terraform-docs/pages.ts';

const pages = referencePages();

test.each([...pages.keys()])('docs/reference/%s is what the kinds say: run node scripts/build-docs.ts', (name) => {
  expect(readFileSync(join(referenceFolder, name), 'utf8')).toBe(pages.get(name));
});

test('docs/reference holds no page of a kind that is gone', () => {
  expect(readdirSync(referenceFolder).sort()).toEqual([...pages.keys()].sort());
});

const ofTerraform = await terraformPages();

test.each([...ofTerraform.keys()])(
  'docs/terraform/%s is what the provider serves and its example: run node scripts/build-docs.ts',
  (name) => {
    expect(readFileSync(join(terraformFolder, name), 'utf8')).toBe(ofTerraform.get(name));
  },
);

test('docs/terraform holds no page of what is no longer served', () => {
  expect([...madePages(), 'index.md'].sort()).toEqual([...ofTerraform.keys()].sort());
});

test('everything that the provider serves has its example in examples/, and nothing else has', async () => {
  expect(await missingExamples()).toEqual([]);
  expect(await strayExamples()).toEqual([]);
});

test('a page says what is written, what is told, and what is secret, at every depth', () => {
  const page = ofTerraform.get('resources/instance.md')!;
  expect(page).toMatch(/^---\npage_title: "plumb_instance Resource - plumb"\nsubcategory: "Of a project"\n/);
  expect(page).toMatch(
    /### Required\n\n(- .*\n)*- `interfaces` \(Attributes List\) .*\(see \[below for nested schema\]\(#nestedatt--interfaces\)\)/,
  );
  expect(page).toMatch(
    /<a id="nestedatt--interfaces"><\/a>\n### Nested Schema for `interfaces`\n\nRequired:\n\n- `l3_network` \(String\)/,
  );
  expect(page).toMatch(/### Read-Only\n\n(- .*\n)*- `status` \(Attributes\)/);
  expect(page).toContain(
    '## Import\n\n```shell\n# By project and name.\nterraform import plumb_instance.web default/web\n```',
  );
  expect(ofTerraform.get('index.md')).toMatch(/- `token` \(String, Sensitive\)/);
});

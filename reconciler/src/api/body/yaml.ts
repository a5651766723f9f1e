/**
 * A body of YAML as the JSON that it stands for. Kubernetes reads YAML 1.1 and the first document alone; so does this. Anchors are
 * followed a bounded number of times, and the text is bounded more narrowly than JSON, since reading it takes longer.
 */
import { type Document, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { badRequest } from '../failure.ts';
import { NO_DUPLICATES, type ParsedJson, parseJson, reread } from './json.ts';

/** How often all anchors together may be used; a file of a person has a handful. */
const MOST_ALIASES = 100;

/** Types that JSON does not have. */
const FOREIGN = /:(timestamp|binary|set|omap|pairs)$/;

export interface YamlBounds {
  yamlBytes: number;
  jsonDepth: number;
  bodyBytes: number;
}

/** Throws PlumbError `BadRequest` when it is no YAML, or more than the bounds allow. */
export function parseYaml(bytes: Buffer, { yamlBytes, jsonDepth, bodyBytes }: YamlBounds): ParsedJson {
  // JSON is YAML, and nearly all that is sent as YAML by programs is JSON.
  if (/^\s*[{[]/.test(bytes.subarray(0, 64).toString('latin1')) && isJson(bytes)) return parseJson(bytes, jsonDepth);
  if (bytes.length > yamlBytes)
    throw badRequest(`YAML of ${bytes.length} bytes is more than the ${yamlBytes} that are read: send JSON`);
  const text = firstDocument(bytes.toString('utf8'));
  const lines = new LineCounter();
  const document = parseDocument(text, {
    ...{ version: '1.1', uniqueKeys: false, lineCounter: lines, logLevel: 'silent' },
    // Of these there are none in JSON: a date is a text.
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !FOREIGN.test(tag.tag)),
  });
  const [error] = document.errors;
  // Its own message repeats the text around the mistake, which may hold a secret.
  if (error) throw badRequest(`the body is not YAML: line ${error.linePos?.[0].line ?? 1}: ${error.code}`);
  const value = plainValue(document);
  const paths: string[] = [];
  twice(document.contents, '', paths);
  const read = reread(value ?? null, jsonDepth, bodyBytes);
  return { value: read, duplicates: paths.length === 0 ? NO_DUPLICATES : { paths, count: paths.length } };
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

/** Up to the line that begins the next one. */
function firstDocument(text: string): string {
  const next = /(?:^|\n)---[ \t]*(?:\r?\n|$)/g;
  for (let found = next.exec(text); found; found = next.exec(text))
    if (
      /[^\s]/.test(
        text
          .slice(0, found.index)
          .replaceAll(/^\s*#.*$/gm, '')
          .replaceAll(/^---\s*$/gm, ''),
      )
    )
      return text.slice(0, found.index);
  return text;
}

function plainValue(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch {
    throw badRequest(`the body is not YAML that is read: it uses its anchors more than ${MOST_ALIASES} times`);
  }
}

/** Paths of keys that stand twice in one map. */
function twice(node: unknown, path: string, found: string[]): void {
  if (isSeq(node)) for (const [index, item] of node.items.entries()) twice(item, `${path}[${index}]`, found);
  if (!isMap(node)) return;
  const seen = new Set<string>();
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? String(key.value) : '';
    const at = path === '' ? name : `${path}.${name}`;
    if (seen.has(name)) found.push(at);
    seen.add(name);
    twice(value, at, found);
  }
}

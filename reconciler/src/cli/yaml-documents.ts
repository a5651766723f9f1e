/** YAML text as plain values, each with the lines that it came from. */
import { type FieldError, terminal } from '@plumb/schemas';
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, visit } from 'yaml';
import { ambiguity } from './yaml-scalars.ts';

export interface YamlDocument {
  value: unknown;
  /** `file:line` of the field, or of the nearest thing around it that is there. */
  locate(path: readonly (string | number)[]): string;
}

/** Throws PlumbError `BadManifest` (terminal) with every mistake, each named by file and line. */
export function readYaml(text: string, file: string): YamlDocument[] {
  const lines = new LineCounter();
  // The core schema of YAML 1.2, with the merge keys that kubectl knows; keys must be unique.
  const parsed = parseAllDocuments(text, { lineCounter: lines, merge: true, schema: 'core', uniqueKeys: true });
  const documents = Array.isArray(parsed) ? parsed : [];
  const at = (offset: number | undefined) => `${file}:${lines.linePos(offset ?? 0).line}`;
  const mistakes: FieldError[] = [];
  for (const document of documents) {
    for (const error of document.errors) {
      mistakes.push({
        field: at(error.pos[0]),
        message: error.message.split('\n', 1)[0]!.replace(/ at line \d+.*$/, ''),
      });
    }
    if (document.errors.length === 0) mistakes.push(...ambiguities(document, at));
  }
  if (mistakes.length > 0) throw badManifest(mistakes);
  return documents
    .filter((document) => document.contents !== null && !isEmpty(document))
    .map((document) => ({
      value: document.toJS({ maxAliasCount: 100 }),
      locate: (path) => at(nodeAt(document, path)),
    }));
}

/** The error for manifests that cannot be used; `mistakes` name places or fields. */
export function badManifest(mistakes: FieldError[]) {
  const list = mistakes.map(({ field, message }) => `${field}: ${message}`).join('\n  ');
  return terminal('BadManifest', mistakes.length === 1 ? list : `${mistakes.length} mistakes:\n  ${list}`, mistakes);
}

function ambiguities(document: Document, at: (offset: number | undefined) => string): FieldError[] {
  const mistakes: FieldError[] = [];
  visit(document, {
    Scalar(_, node) {
      if (node.tag && !node.tag.startsWith('tag:yaml.org,2002:')) {
        mistakes.push({ field: at(node.range?.[0]), message: `the tag ${node.tag} is not known` });
      }
      if (node.type !== 'PLAIN' || node.source === undefined || node.tag !== undefined) return;
      const why = ambiguity(node.source, node.value);
      if (why) mistakes.push({ field: at(node.range?.[0]), message: why });
    },
  });
  return mistakes;
}

function isEmpty(document: Document): boolean {
  return isScalar(document.contents) && document.contents.value === null;
}

/** Offset of the node at the path, or of the last one on the way to it. */
function nodeAt(document: Document, path: readonly (string | number)[]): number | undefined {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0];
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (!pair) break;
      offset = (pair.key as { range?: [number, number, number] }).range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = (node as { range?: [number, number, number] } | undefined)?.range?.[0] ?? offset;
    } else {
      break;
    }
  }
  return offset;
}
